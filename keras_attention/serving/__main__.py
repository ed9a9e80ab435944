"""The local server by command, with the flags of `tensorflow_model_server`.

python -m keras_attention.serving --model_name=english_french --model_base_path=saved_models/english_french
"""

import argparse
import signal
import sys
import threading

from keras_attention.serving.batching_parameters import BatchingParameters, read_batching_parameters
from keras_attention.serving.local_server import LocalServer
from keras_attention.serving.model_config import ModelConfig, read_model_configs


def main(arguments=None):
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m keras_attention.serving",
        description="Serves SavedModels on 127.0.0.1 in the form of TF Serving, for development. Not for production.",
    )
    parser.add_argument("--port", type=int, default=8500, help="gRPC; 0 takes a free one")
    parser.add_argument("--rest_api_port", type=int, default=8501, help="REST and the page; 0 takes a free one")
    parser.add_argument("--model_name", default="default", help="with --model_base_path")
    parser.add_argument("--model_base_path", help="a model's folder, with versions inside; the newest is served")
    parser.add_argument("--model_config_file", help="several models: a ModelServerConfig in text form")
    parser.add_argument("--enable_batching", action="store_true")
    parser.add_argument("--batching_parameters_file", help="BatchingParameters in text form")
    parser.add_argument("--rest_api_timeout_in_ms", type=int, default=30000)
    parser.add_argument(
        "--answers",
        action="append",
        default=[],
        metavar="MODEL=FILE",
        help="answers, one a line, that the page begins with (not a flag of tensorflow_model_server)",
    )
    given = parser.parse_args(arguments)
    if bool(given.model_base_path) == bool(given.model_config_file):
        parser.error("give one of --model_base_path and --model_config_file")
    if given.batching_parameters_file and not given.enable_batching:
        parser.error("--batching_parameters_file goes with --enable_batching")
    try:
        serve(given)
    except (ValueError, OSError, ImportError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    return 0


def serve(given):
    """Start, say where, and wait for SIGINT or SIGTERM."""
    if given.model_config_file:
        models = read_model_configs(given.model_config_file)
    else:
        models = [ModelConfig(given.model_name, given.model_base_path)]
    batching = None
    if given.enable_batching:
        file = given.batching_parameters_file
        batching = read_batching_parameters(file) if file else BatchingParameters()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    server = LocalServer(
        models,
        given.port,
        given.rest_api_port,
        batching,
        rest_timeout=given.rest_api_timeout_in_ms / 1000,
        answers=dict(map(_read_answers, given.answers)),
    )
    with server:
        print(
            f"For development only. Page: {server.rest_address}/  "
            f"REST: {server.rest_address}/v1/models/{models[0].name}  gRPC: {server.grpc_address}",
            flush=True,
        )
        stop.wait()


def _read_answers(text):
    name, _, path = text.partition("=")
    if not path:
        raise ValueError(f"`--answers` must be MODEL=FILE. Received: --answers={text!r}")
    with open(path, encoding="utf-8") as file:
        return name, [line.strip() for line in file if line.strip()]


if __name__ == "__main__":
    sys.exit(main())
