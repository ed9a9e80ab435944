"""What serving wants beyond the package's own dependencies."""

import importlib.util

_MODULES = {"grpc": "grpcio", "tensorflow_serving": "tensorflow-serving-api", "aiohttp": "aiohttp"}


def require_extra(*modules):
    """Say which packages are missing before anything fails half-way.

    Raises:
        ImportError: If one of the modules is not installed.
    """
    missing = [_MODULES[name] for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(f"serving wants {', '.join(missing)}: pip install 'keras_attention[serving]'")
