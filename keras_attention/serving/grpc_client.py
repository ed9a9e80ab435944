"""A gRPC client in the form of TF Serving's API."""

import threading

import numpy as np

from keras_attention.serving.extra import require_extra
from keras_attention.serving.serving_error import ServingError


class GrpcClient:
    """Calls one model of `tensorflow_model_server`, or of `LocalServer`, over gRPC.

    May be used from many threads: they share one channel.

    Args:
        address: `"host:port"`.
        model: The model's name.
        version: Its version; None leaves it to the server, which takes the newest.
        maximum_bytes: Of an answer.

    Example:
    ```python
    with GrpcClient("127.0.0.1:8500", "english_french") as client:
        client.predict({"text": ["How are you?"]}, timeout=10)["translation"]  # array([b'...'], dtype=object)
    ```
    """

    def __init__(self, address, model, version=None, maximum_bytes=64 << 20):
        require_extra("grpc", "tensorflow_serving")
        import grpc
        from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

        self.model = model
        self.version = version
        self._channel = grpc.insecure_channel(
            address,
            options=[("grpc.max_receive_message_length", maximum_bytes), ("grpc.max_send_message_length", -1)],
        )
        self._predictions = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)

    def predict(self, inputs, signature_name="serving_default", timeout=30.0):
        """Run a signature.

        Args:
            inputs: Dict from an input's name to an array, or to lists of strings or numbers; an empty list is one of
                strings.
            signature_name: The signature.
            timeout: Deadline of the call in seconds.

        Returns:
            Dict from an output's name to a numpy array; strings are `bytes`.

        Raises:
            ServingError: With the status code of the server, or DEADLINE_EXCEEDED, UNAVAILABLE, CANCELLED.
        """
        return self.submit(inputs, signature_name, timeout).result()

    def submit(self, inputs, signature_name="serving_default", timeout=30.0):
        """Begin what `predict` does and return at once.

        Returns:
            An object with `result()`, which waits as `predict` does, and `cancel()`.
        """
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        request = predict_pb2.PredictRequest()
        self._fill(request.model_spec, signature_name)
        for name, value in inputs.items():
            proto = value if hasattr(value, "tensor_shape") else tf.make_tensor_proto(_array(value))
            request.inputs[name].CopyFrom(proto)
        return _Call(self._predictions.Predict.future(request, timeout=timeout))

    def metadata(self, timeout=30.0):
        """Return the signatures: a dict from a name to a `SignatureDef`."""
        from tensorflow_serving.apis import get_model_metadata_pb2

        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        self._fill(request.model_spec)
        response = _called(self._predictions.GetModelMetadata, request, timeout)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        response.metadata["signature_def"].Unpack(signatures)
        return dict(signatures.signature_def)

    def status(self, timeout=30.0):
        """Return a dict from a version to its state, such as `{1: "AVAILABLE"}`."""
        from tensorflow_serving.apis import get_model_status_pb2

        request = get_model_status_pb2.GetModelStatusRequest()
        self._fill(request.model_spec)
        response = _called(self._models.GetModelStatus, request, timeout)
        states = get_model_status_pb2.ModelVersionStatus.State
        return {one.version: states.Name(one.state) for one in response.model_version_status}

    def close(self):
        """Close the channel."""
        self._channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def _fill(self, spec, signature_name=""):
        spec.name = self.model
        spec.signature_name = signature_name
        if self.version is not None:
            spec.version.value = self.version


class _Call:
    """A call on its way."""

    def __init__(self, future):
        self._future = future
        self.done = threading.Event()
        future.add_done_callback(lambda _: self.done.set())

    def cancel(self):
        return self._future.cancel()

    def result(self):
        import grpc
        import tensorflow as tf

        try:
            response = self._future.result()
        except grpc.FutureCancelledError as error:
            raise ServingError("CANCELLED", "the call was cancelled") from error
        except grpc.RpcError as error:
            raise ServingError(error.code().name, error.details()) from error
        return {name: tf.make_ndarray(proto) for name, proto in response.outputs.items()}


def _called(method, request, timeout):
    import grpc

    try:
        return method(request, timeout=timeout)
    except grpc.RpcError as error:
        raise ServingError(error.code().name, error.details()) from error


def _array(value):
    """Strings become objects, which keep zero bytes at the end; an empty list is one of strings, not of floats."""
    array = np.asarray(value)
    empty = not array.size and not isinstance(value, np.ndarray)
    return np.asarray(value, object) if array.dtype.kind in "US" or empty else array
