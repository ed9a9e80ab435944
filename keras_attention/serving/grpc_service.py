"""The gRPC side: TF Serving's PredictionService and ModelService, as far as a SavedModel needs them."""

import functools
import logging
from concurrent.futures import CancelledError

import tensorflow as tf

from keras_attention.serving.served_model import DEFAULT_SIGNATURE
from keras_attention.serving.serving_error import ServingError
from keras_attention.serving.tensor_protos import array_from_proto, array_to_proto

_log = logging.getLogger(__name__)


class GrpcService:
    """`Predict`, `GetModelMetadata` and `GetModelStatus`. Every other method is UNIMPLEMENTED.

    Requests are parsed here and not by the generated code, so that one that cannot be parsed (a name that is not
    UTF-8, say) is INVALID_ARGUMENT and not an INTERNAL error of the server.

    Args:
        predictor: A `Predictor`.
    """

    def __init__(self, predictor):
        self.predictor = predictor
        self.repository = predictor.repository

    def add_to(self, server):
        """Register with a `grpc.Server`."""
        import grpc
        from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, predict_pb2

        services = {
            "PredictionService": {
                "Predict": (predict_pb2.PredictRequest, self.predict),
                "GetModelMetadata": (get_model_metadata_pb2.GetModelMetadataRequest, self.metadata),
            },
            "ModelService": {"GetModelStatus": (get_model_status_pb2.GetModelStatusRequest, self.status)},
        }
        for service, methods in services.items():
            handlers = {
                name: grpc.unary_unary_rpc_method_handler(
                    functools.partial(_answer, message, method),
                    response_serializer=lambda response: response.SerializeToString(),
                )
                for name, (message, method) in methods.items()
            }
            server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(f"tensorflow.serving.{service}", handlers),)
            )

    def predict(self, request, context):
        """Answer a `PredictRequest` with a `PredictResponse`."""
        from tensorflow_serving.apis import predict_pb2

        model = self._find(request)
        name = request.model_spec.signature_name or DEFAULT_SIGNATURE
        signature = model.signature(name, code="FAILED_PRECONDITION")
        inputs = {key: array_from_proto(key, proto) for key, proto in request.inputs.items()}
        future = self.predictor.submit(model, name, inputs, tuple(request.output_filter), context.time_remaining())
        if not context.add_callback(future.cancel):  # it is over already
            future.cancel()
        try:
            outputs = future.result()
        except CancelledError as error:
            raise ServingError("CANCELLED", "the call was cancelled") from error
        response = predict_pb2.PredictResponse()
        response.model_spec.name = model.name
        response.model_spec.version.value = model.version
        response.model_spec.signature_name = name
        for key, array in outputs.items():
            dtype = tf.dtypes.as_dtype(signature.outputs[key].dtype)
            response.outputs[key].CopyFrom(array_to_proto(array, dtype))
        return response

    def metadata(self, request, context=None):
        """Answer a `GetModelMetadataRequest`; the only field there is, is `signature_def`."""
        from tensorflow_serving.apis import get_model_metadata_pb2

        model = self._find(request)
        fields = list(request.metadata_field)
        if not fields or set(fields) != {"signature_def"}:
            raise ServingError("INVALID_ARGUMENT", f"expected metadata_field ['signature_def']. Received: {fields}")
        signatures = get_model_metadata_pb2.SignatureDefMap(signature_def=model.signatures)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = model.name
        response.model_spec.version.value = model.version
        response.metadata["signature_def"].Pack(signatures)
        return response

    def status(self, request, context=None):
        """Answer a `GetModelStatusRequest`: what is here is AVAILABLE."""
        from tensorflow_serving.apis import get_model_status_pb2

        spec = self._spec(request)
        version = spec.version.value if spec.HasField("version") else None
        response = get_model_status_pb2.GetModelStatusResponse()
        for number in reversed(self.repository.versions(spec.name, version, spec.version_label)):
            one = response.model_version_status.add(version=number)
            one.state = get_model_status_pb2.ModelVersionStatus.AVAILABLE
            one.status.SetInParent()  # an error code of OK
        return response

    def _find(self, request):
        spec = self._spec(request)
        version = spec.version.value if spec.HasField("version") else None
        return self.repository.find(spec.name, version, spec.version_label)

    @staticmethod
    def _spec(request):
        if not request.HasField("model_spec"):
            raise ServingError("INVALID_ARGUMENT", "missing model_spec")
        return request.model_spec


def _answer(message, method, raw, context):
    """Parse, call, and turn errors into status codes."""
    import grpc
    from google.protobuf.message import DecodeError

    try:
        try:
            request = message.FromString(raw)
        except DecodeError as error:
            raise ServingError("INVALID_ARGUMENT", f"not a {message.DESCRIPTOR.name}: {error}") from error
        return method(request, context)
    except ServingError as error:
        code, text = error.code, error.message
    except Exception:
        _log.exception("A request failed in an unforeseen way")
        code, text = "INTERNAL", "internal error; the server's log says more"
    context.abort(grpc.StatusCode[code], text)
