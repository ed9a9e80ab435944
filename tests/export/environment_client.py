"""Calls signatures of SavedModels in an environment of its own: no package but TensorFlow and TF Text there.

    python environment_client.py REQUESTS

REQUESTS is a JSON file, a list of `{"path", "signature", "inputs"}`; standard output is JSON, the `versions` and the
`answers`, each a dict from an output's name to nested lists, or `{"error": message}`.
"""

import json
import sys

import tensorflow as tf
import tensorflow_text


def plain(value):
    if isinstance(value, bytes):
        return value.decode("utf-8")
    return [plain(one) for one in value] if isinstance(value, list) else value


def call(request):
    try:
        signature = tf.saved_model.load(request["path"]).signatures[request["signature"]]
        inputs = {name: tf.constant(value) for name, value in request["inputs"].items()}
        return {name: plain(value.numpy().tolist()) for name, value in signature(**inputs).items()}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


with open(sys.argv[1], encoding="utf-8") as file:
    answers = [call(request) for request in json.load(file)]
print(json.dumps({"versions": [tf.__version__, tensorflow_text.__version__], "answers": answers}))
