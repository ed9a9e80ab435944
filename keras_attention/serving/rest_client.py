"""A REST client in the form of TF Serving's API, on the standard library alone."""

import base64
import json
import urllib.error
import urllib.parse
import urllib.request

from keras_attention.serving.serving_error import ServingError

# A client of a named server; what the environment calls a proxy is for the web.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class RestClient:
    """Calls one model of `tensorflow_model_server`, or of `LocalServer`, over HTTP and JSON.

    May be used from many threads: each call has a connection of its own.

    Args:
        address: `"http://host:port"`.
        model: The model's name.
        version: Its version; None leaves it to the server, which takes the newest.

    Example:
    ```python
    client = RestClient("http://127.0.0.1:8501", "english_french")
    client.predict({"text": ["How are you?"]})["translation"]  # ["..."]
    client.predict_rows([{"text": "How are you?"}])  # [{"translation": "...", "score": ...}]
    ```
    """

    def __init__(self, address, model, version=None):
        self._url = f"{address.rstrip('/')}/v1/models/{urllib.parse.quote(model, safe='')}"
        if version is not None:
            self._url += f"/versions/{version}"

    def predict(self, inputs, signature_name="serving_default", timeout=30.0):
        """Run a signature in column form.

        Args:
            inputs: Dict from an input's name to nested lists of strings, bytes, numbers or bools.
            signature_name: The signature.
            timeout: In seconds, for connecting and for every wait for data.

        Returns:
            Dict from an output's name to nested lists; strings are `str`. A signature with a single output gives the
            lists themselves, as TF Serving leaves its name out.

        Raises:
            ServingError: What the server says, or DEADLINE_EXCEEDED, UNAVAILABLE.
        """
        body = {"signature_name": signature_name, "inputs": {name: _jsonable(value) for name, value in inputs.items()}}
        return self._call(":predict", body, timeout)["outputs"]

    def predict_rows(self, instances, signature_name="serving_default", timeout=30.0):
        """Run a signature in row form: a list of dicts in, one item for each out.

        It is for signatures whose inputs and outputs have one batch; `predict` is for the others.

        Args:
            instances: List of dicts from an input's name to a value, or of values if there is one input.
            signature_name, timeout: As of `predict`.
        """
        body = {"signature_name": signature_name, "instances": _jsonable(instances)}
        return self._call(":predict", body, timeout)["predictions"]

    def metadata(self, timeout=30.0):
        """Return the signatures: a dict from a name to a `SignatureDef` as JSON has it."""
        return self._call("/metadata", None, timeout)["metadata"]["signature_def"]["signature_def"]

    def status(self, timeout=30.0):
        """Return a dict from a version to its state, such as `{1: "AVAILABLE"}`."""
        versions = self._call("", None, timeout)["model_version_status"]
        return {int(one["version"]): one["state"] for one in versions}

    def _call(self, path, body, timeout):
        data = None if body is None else json.dumps(body).encode("utf-8")
        request = urllib.request.Request(self._url + path, data, {"Content-Type": "application/json"})
        try:
            with _OPENER.open(request, timeout=timeout) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise ServingError.from_http(error.code, _message(error)) from error
        except TimeoutError as error:
            raise ServingError("DEADLINE_EXCEEDED", f"no answer within {timeout} s") from error
        except urllib.error.URLError as error:
            late = isinstance(error.reason, TimeoutError)
            raise ServingError("DEADLINE_EXCEEDED" if late else "UNAVAILABLE", str(error.reason)) from error
        except OSError as error:
            raise ServingError("UNAVAILABLE", str(error)) from error


def _message(error):
    """Read the message from the body `{"error": "..."}`, or what stands there instead."""
    text = error.read().decode("utf-8", "replace")
    try:
        return json.loads(text)["error"]
    except (ValueError, KeyError, TypeError):
        return text


def _jsonable(value):
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode("ascii")}
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    return [_jsonable(item) for item in value] if isinstance(value, (list, tuple)) else value
