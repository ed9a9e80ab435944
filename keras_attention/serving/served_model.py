"""One version of a SavedModel, run the way the stock server runs it."""

import contextlib
import importlib.util
import logging
import os

import numpy as np
import tensorflow as tf

from keras_attention.serving.serving_error import HTTP_STATUS, ServingError

DEFAULT_SIGNATURE = "serving_default"
_CODES = {getattr(tf.errors, name): name for name in HTTP_STATUS if hasattr(tf.errors, name)}


class ServedModel:
    """A SavedModel in a session, fed and fetched by the tensor names of its signatures.

    That is what `tensorflow_model_server` does in C++; no Python of the exporting package takes part. TensorFlow Text
    is imported if it is installed, since graphs from strings need its operations.

    `run` may be called from many threads.

    Args:
        path: The version's folder, with `saved_model.pb`.
        name: The model's name.
        version: The version's number.

    Attributes:
        signatures: Dict from a signature's name to its `SignatureDef`.

    Raises:
        ValueError: If there is no SavedModel.
    """

    def __init__(self, path, name, version):
        if importlib.util.find_spec("tensorflow_text"):
            importlib.import_module("tensorflow_text")  # registers its operations
        self.path = os.fspath(path)
        self.name = name
        self.version = version
        if not os.path.exists(os.path.join(self.path, "saved_model.pb")):
            raise ValueError(f"Expected the folder of a SavedModel, with saved_model.pb. Received: path={self.path!r}")
        graph = tf.Graph()
        with graph.as_default(), _no_advice():
            self._session = tf.compat.v1.Session(graph=graph)
            meta_graph = tf.compat.v1.saved_model.load(self._session, [tf.saved_model.SERVING], self.path)
        self.signatures = dict(meta_graph.signature_def)

    def signature(self, name, code="INVALID_ARGUMENT"):
        """Return the signature of that name; of no name, `serving_default`.

        Raises:
            ServingError: If there is none. The stock server's two protocols give two codes, so the caller says which.
        """
        signature = self.signatures.get(name or DEFAULT_SIGNATURE)
        if signature is None:
            raise ServingError(
                code,
                f"signature {name or DEFAULT_SIGNATURE!r} not found, expected one of {sorted(self.public_signatures)}",
            )
        return signature

    @property
    def public_signatures(self):
        """Names of the signatures that take inputs; not that which initialises the tables."""
        return [name for name, signature in self.signatures.items() if signature.inputs]

    def check(self, signature, inputs, output_filter=()):
        """Hold inputs to a signature: the same names, dtypes and shapes.

        Raises:
            ServingError: INVALID_ARGUMENT.
        """
        missing, extra = sorted(set(signature.inputs) - set(inputs)), sorted(set(inputs) - set(signature.inputs))
        if missing or extra:
            raise ServingError(
                "INVALID_ARGUMENT",
                f"inputs do not match the signature's {sorted(signature.inputs)}: missing {missing}, extra {extra}",
            )
        for name, array in inputs.items():
            info = signature.inputs[name]
            expected, shape = tf.dtypes.as_dtype(info.dtype), tf.TensorShape(info.tensor_shape)
            received = tf.string if array.dtype.kind in "OSU" else tf.dtypes.as_dtype(array.dtype)
            if received != expected:
                raise ServingError(
                    "INVALID_ARGUMENT", f"input {name}: expected {expected.name}. Received: {received.name}"
                )
            if not shape.is_compatible_with(array.shape):
                raise ServingError(
                    "INVALID_ARGUMENT", f"input {name}: expected shape {shape}. Received: shape {array.shape}"
                )
        unknown = sorted(set(output_filter) - set(signature.outputs))
        if unknown or len(set(output_filter)) != len(output_filter):
            raise ServingError(
                "INVALID_ARGUMENT",
                f"output_filter: expected names among {sorted(signature.outputs)}, each once. "
                f"Received: {list(output_filter)}",
            )

    def run(self, signature, inputs, output_filter=(), timeout=None):
        """Run a signature.

        Args:
            signature: A `SignatureDef` of this model.
            inputs: Dict from an input's name to a numpy array, as `check` wants it.
            output_filter: Names of the outputs to compute; all if empty.
            timeout: In seconds; the run is stopped then.

        Returns:
            Dict from an output's name to a numpy array; strings are `bytes`.

        Raises:
            ServingError: With the code of TensorFlow's error.
        """
        names = list(output_filter) or sorted(signature.outputs)
        feed = {signature.inputs[name].name: array for name, array in inputs.items()}
        options = None
        if timeout is not None:
            options = tf.compat.v1.RunOptions(timeout_in_ms=max(1, int(timeout * 1000)))
        try:
            outputs = self._session.run([signature.outputs[name].name for name in names], feed, options=options)
        except tf.errors.OpError as error:
            raise ServingError(_CODES.get(error.error_code, "UNKNOWN"), error.message.split("\n")[0]) from error
        except (TypeError, ValueError) as error:  # what numpy cannot turn into the tensor
            raise ServingError("INVALID_ARGUMENT", str(error)) from error
        # A scalar string as an object: numpy's own string type drops zero bytes at the end.
        return {
            name: np.asarray(output, object if isinstance(output, bytes) else None)
            for name, output in zip(names, outputs)
        }

    def close(self):
        """Give the session back."""
        self._session.close()


@contextlib.contextmanager
def _no_advice():
    """Keep TensorFlow from advising against sessions: the stock server runs in one, so this does too."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
