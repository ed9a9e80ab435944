"""The one error of serving: a status code as gRPC and HTTP know it, and a message."""

# gRPC's codes that occur here, with the HTTP status that TF Serving's REST API gives for each.
HTTP_STATUS = {
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
}
# The other way, for a client that sees only the HTTP status; of several codes the one most likely meant.
_CODE_OF_STATUS = {status: code for code, status in reversed(HTTP_STATUS.items())} | {413: "RESOURCE_EXHAUSTED"}


class ServingError(OSError):
    """What a server answers instead of a prediction; an `OSError`, as the standard library's HTTP errors are.

    Attributes:
        code: Name of a gRPC status code, such as `"INVALID_ARGUMENT"`.
        message: What was wrong.
        http_status: The HTTP status of the REST API.

    Example:
    >>> from keras_attention.serving import ServingError
    >>> error = ServingError("NOT_FOUND", "no such model")
    >>> error.http_status, str(error)
    (404, 'NOT_FOUND: no such model')
    """

    def __init__(self, code, message, http_status=None):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.http_status = http_status or HTTP_STATUS.get(code, 500)

    @classmethod
    def from_http(cls, status, message):
        """Make the error that an HTTP status stands for."""
        return cls(_CODE_OF_STATUS.get(status, "UNKNOWN"), message, status)
