"""Warm-up requests: what a server asks a version of itself before it takes real requests.

The file is `assets.extra/tf_serving_warmup_requests`: TFRecords of TF Serving's `PredictionLog`. The few fields that
are needed are encoded here by hand, so that exporting wants no package beyond TensorFlow; the tests read them back with
`tensorflow-serving-api`.
"""

from pathlib import Path

import tensorflow as tf

WARM_UP_FILE = Path("assets.extra") / "tf_serving_warmup_requests"
# Field numbers in tensorflow_serving/apis: prediction_log.proto, predict.proto, model.proto.
_PREDICT_LOG = 6  # PredictionLog.predict_log
_REQUEST = 1  # PredictLog.request
_MODEL_SPEC, _INPUTS = 1, 2  # of PredictRequest
_NAME, _SIGNATURE_NAME = 1, 3  # of ModelSpec
_KEY, _VALUE = 1, 2  # of an entry of a map


def write_warm_up(path, model_name, requests):
    """Write the warm-up requests of a SavedModel.

    Args:
        path: The SavedModel's folder.
        model_name: The name the model is served under.
        requests: List of `(signature_name, inputs)`, `inputs` a dict from an input's name to a tensor or array.

    Returns:
        The path of the file.
    """
    file = Path(path) / WARM_UP_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(file)) as writer:
        for signature_name, inputs in requests:
            writer.write(_prediction_log(model_name, signature_name, inputs))
    return file


def _prediction_log(model_name, signature_name, inputs):
    request = _field(_MODEL_SPEC, _field(_NAME, model_name.encode()) + _field(_SIGNATURE_NAME, signature_name.encode()))
    for name, value in inputs.items():
        tensor = tf.make_tensor_proto(value).SerializeToString()
        request += _field(_INPUTS, _field(_KEY, name.encode()) + _field(_VALUE, tensor))
    return _field(_PREDICT_LOG, _field(_REQUEST, request))


def _field(number, payload):
    """Encode a length-delimited field of a protocol buffer."""
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _varint(value):
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
