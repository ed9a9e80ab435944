"""The REST side: TF Serving's paths under /v1/models, and the page."""

import asyncio
import json
import logging
import re
from importlib import resources

from keras_attention.serving.json_tensors import inputs_from_json, outputs_to_json, parse_request
from keras_attention.serving.served_model import DEFAULT_SIGNATURE
from keras_attention.serving.serving_error import ServingError

_log = logging.getLogger(__name__)
_MODEL = r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?"
_PREDICT = re.compile(_MODEL + r":(predict|classify|regress)")
_STATUS = re.compile(_MODEL + r"(/metadata)?")
_PAGE = {
    "/": ("index.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
}
# Nothing from elsewhere, no inline script: what a user types cannot become one.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")


class RestService:
    """An aiohttp application over a `Predictor`.

    Paths: `POST /v1/models/<name>[/versions/<v>]:predict`, `GET /v1/models/<name>[/versions/<v>]` and
    `.../metadata`, as TF Serving has them; `/` and what it needs. `:classify` and `:regress` are not implemented. A
    request under a host name that is not this machine's is refused, so that no page of the web can read the answers.

    Args:
        predictor: A `Predictor`.
        service: The `GrpcService`, which knows status and metadata.
        timeout: Seconds that a prediction may take.
        maximum_request_bytes: Of a body; more is 413.
        answers: Dict from a model's name to a list of answers that the page puts into its form.
    """

    def __init__(self, predictor, service, timeout=30.0, maximum_request_bytes=4 << 20, answers=None):
        self.predictor = predictor
        self.service = service
        self.timeout = timeout
        self.maximum_request_bytes = maximum_request_bytes
        self.answers = answers or {}

    def application(self):
        """Return the `aiohttp.web.Application`."""
        from aiohttp import web

        application = web.Application(client_max_size=self.maximum_request_bytes)
        application.router.add_route("*", "/{path:.*}", self.handle)
        return application

    async def handle(self, request):
        """Answer any request."""
        from aiohttp import web

        try:
            host = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
            if host not in _LOCAL_NAMES:
                raise ServingError("PERMISSION_DENIED", f"expected one of the hosts {_LOCAL_NAMES}. Received: {host}")
            return await self._route(request)
        except ServingError as error:
            status, text = error.http_status, error.message
        except web.HTTPRequestEntityTooLarge:
            status, text = 413, f"expected a body of at most {self.maximum_request_bytes} bytes"
        except Exception:
            _log.exception("A request failed in an unforeseen way")
            status, text = 500, "internal error; the server's log says more"
        return _json({"error": text}, status)

    async def _route(self, request):
        from aiohttp import web

        path = request.path
        if path in _PAGE and request.method in ("GET", "HEAD"):
            name, kind = _PAGE[path]
            body = (resources.files("keras_attention.serving") / "page" / name).read_bytes()
            return web.Response(body=body, content_type=kind, charset="utf-8", headers=_HEADERS)
        if path == "/page/models" and request.method == "GET":
            return _json(self._models())
        if not path.startswith("/v1/"):
            raise ServingError("NOT_FOUND", f"no such path: {path}")
        if request.method == "POST" and (match := _PREDICT.fullmatch(path)):
            *spec, method = match.groups()
            if method != "predict":
                raise ServingError("UNIMPLEMENTED", f":{method} is not implemented, :predict is")
            return await self._predict(request, *spec)
        if request.method == "GET" and (match := _STATUS.fullmatch(path)):
            *spec, metadata = match.groups()
            return _json(self._metadata(*spec) if metadata else self._status(*spec))
        raise ServingError("INVALID_ARGUMENT", f"malformed request: {request.method} {path}")

    async def _predict(self, request, name, version, label):
        model = self.predictor.repository.find(name, _number(version), label or "")
        document, signature_name = parse_request(await request.read())
        signature_name = signature_name or DEFAULT_SIGNATURE
        inputs = inputs_from_json(document, model.signature(signature_name))
        future = self.predictor.submit(model, signature_name, inputs, timeout=self.timeout)
        try:
            outputs = await asyncio.wait_for(asyncio.wrap_future(future), self.timeout)
        except TimeoutError as error:
            raise ServingError("DEADLINE_EXCEEDED", f"the answer took more than {self.timeout} s") from error
        return _json(outputs_to_json(outputs, rows="instances" in document))

    def _status(self, name, version, label):
        from google.protobuf import json_format
        from tensorflow_serving.apis import get_model_status_pb2

        request = get_model_status_pb2.GetModelStatusRequest()
        _fill(request.model_spec, name, version, label)
        return json_format.MessageToDict(
            self.service.status(request), preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )

    def _metadata(self, name, version, label):
        from google.protobuf import json_format
        from tensorflow_serving.apis import get_model_metadata_pb2

        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        _fill(request.model_spec, name, version, label)
        response = self.service.metadata(request)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        response.metadata["signature_def"].Unpack(signatures)
        spec, parts = (
            json_format.MessageToDict(
                message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
            )
            for message in (response.model_spec, signatures)
        )
        return {"model_spec": spec, "metadata": {"signature_def": parts}}

    def _models(self):
        """What the page must know: each model's newest version, and the inputs and outputs of its signatures."""
        models = []
        for name in self.predictor.repository.models:
            model = self.predictor.repository.find(name)
            signatures = {
                key: {
                    "inputs": sorted(model.signatures[key].inputs),
                    "outputs": sorted(model.signatures[key].outputs),
                }
                for key in model.public_signatures
            }
            answers = self.answers.get(name, [])
            models.append({"name": name, "version": model.version, "signatures": signatures, "answers": answers})
        return {"models": models}


def _fill(spec, name, version, label):
    spec.name = name
    number = _number(version)
    if number is not None:
        spec.version.value = number
    if label:
        spec.version_label = label


def _number(version):
    if version is None:
        return None
    number = int(version) if len(version) < 20 else 1 << 63
    if number >= 1 << 63:
        raise ServingError("INVALID_ARGUMENT", f"version {version[:40]} is no 64-bit integer")
    return number


def _json(document, status=200):
    from aiohttp import web

    text = json.dumps(document, ensure_ascii=False)
    return web.Response(text=text, status=status, content_type="application/json", headers=_HEADERS)
