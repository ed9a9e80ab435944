"""SavedModels called: clients in the form of TF Serving's API, and a local server that speaks it, for development."""

from keras_attention.serving.batching_parameters import BatchingParameters, read_batching_parameters
from keras_attention.serving.grpc_client import GrpcClient
from keras_attention.serving.model_config import ModelConfig, read_model_configs
from keras_attention.serving.rest_client import RestClient
from keras_attention.serving.serving_error import ServingError

__all__ = [
    "BatchingParameters",
    "GrpcClient",
    "LocalServer",
    "ModelConfig",
    "RestClient",
    "ServingError",
    "read_batching_parameters",
    "read_model_configs",
]


def __getattr__(name):
    # The server loads TensorFlow; the REST client must not have to.
    if name == "LocalServer":
        from keras_attention.serving.local_server import LocalServer

        return LocalServer
    raise AttributeError(f"module 'keras_attention.serving' has no attribute {name!r}")
