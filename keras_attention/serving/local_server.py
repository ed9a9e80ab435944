"""A small server for development and tests, on this machine only."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from keras_attention.serving.extra import require_extra
from keras_attention.serving.grpc_service import GrpcService
from keras_attention.serving.model_config import ModelConfig
from keras_attention.serving.predictor import Predictor
from keras_attention.serving.rest_service import RestService

_ADDRESS = "127.0.0.1"  # Not an option: nothing here is fit to face a network.
_GRPC_THREADS = 32


class LocalServer:
    """Speaks TF Serving's two protocols over SavedModels, for development and tests. Not for production.

    It listens on 127.0.0.1 only, knows no users, no encryption and no limits per client, and runs in Python. What it
    keeps to is the form of requests and answers and the status codes, so that a client tried against it finds the same
    at `tensorflow_model_server`. It differs where the stock server is careless: a request above
    `maximum_request_bytes` is RESOURCE_EXHAUSTED (413), a JSON body that is not UTF-8 is INVALID_ARGUMENT (400).

    gRPC: `Predict`, `GetModelMetadata`, `GetModelStatus`. REST: `:predict` in row and column form, status, metadata;
    at `/` a page to try the models on.

    Args:
        models: List of `ModelConfig`, or a dict from a name to a model's folder, of which the newest version is served.
        grpc_port: 0 takes a free one.
        rest_port: 0 takes a free one.
        batching: `BatchingParameters`, or None.
        rest_timeout: Seconds that a REST prediction may take; a gRPC call brings its own deadline.
        maximum_request_bytes: Of a request, in both protocols.
        answers: Dict from the name of an answer selector to a list of answers that the page begins with.

    Attributes:
        grpc_address: `"127.0.0.1:<port>"`.
        rest_address: `"http://127.0.0.1:<port>"`.

    Raises:
        ValueError: If a model is not there.
        OSError: If a port is taken.

    Example:
    ```python
    with LocalServer({"english_french": "saved_models/english_french"}) as server:
        print(RestClient(server.rest_address, "english_french").predict({"text": ["How are you?"]}))
    ```
    """

    def __init__(
        self,
        models,
        grpc_port=0,
        rest_port=0,
        batching=None,
        rest_timeout=30.0,
        maximum_request_bytes=4 << 20,
        answers=None,
    ):
        require_extra("grpc", "tensorflow_serving", "aiohttp")
        if isinstance(models, dict):
            models = [ModelConfig(name, folder) for name, folder in models.items()]
        self.predictor = Predictor(models, batching)
        try:
            service = GrpcService(self.predictor)
            self._rest = RestService(self.predictor, service, rest_timeout, maximum_request_bytes, answers)
            self._grpc_threads = ThreadPoolExecutor(_GRPC_THREADS, thread_name_prefix="grpc")
            self._grpc, grpc_port = _start_grpc(service, grpc_port, maximum_request_bytes, self._grpc_threads)
            self.grpc_address = f"{_ADDRESS}:{grpc_port}"
            self._loop = asyncio.new_event_loop()
            started, failure = threading.Event(), []
            self._thread = threading.Thread(
                target=self._serve_rest, args=(rest_port, started, failure), name="rest", daemon=True
            )
            self._thread.start()
            started.wait()
            if failure:
                self._grpc.stop(None).wait()
                raise failure[0]
        except BaseException:
            self.predictor.close()
            raise

    def close(self):
        """Answer what has begun, and stop."""
        self._grpc.stop(1.0).wait()
        self._loop.call_soon_threadsafe(self._stop_rest.set)
        self._thread.join()
        self.predictor.close()
        self._grpc_threads.shutdown()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def _serve_rest(self, port, started, failure):
        from aiohttp import web

        async def serve():
            # A client that goes away cancels its request.
            runner = web.AppRunner(
                self._rest.application(), handler_cancellation=True, access_log=None, shutdown_timeout=1.0
            )
            self._stop_rest = asyncio.Event()
            try:
                await runner.setup()
                await web.TCPSite(runner, _ADDRESS, port).start()
            except Exception as error:
                failure.append(error)
            else:
                self.rest_address = "http://{}:{}".format(*runner.addresses[0][:2])
                started.set()
                await self._stop_rest.wait()
            finally:
                await runner.cleanup()
                started.set()

        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(serve())
        finally:
            self._loop.close()


def _start_grpc(service, port, maximum_request_bytes, threads):
    import grpc

    server = grpc.server(
        threads,
        options=[
            ("grpc.max_receive_message_length", maximum_request_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),  # a taken port is an error
        ],
    )
    service.add_to(server)
    try:
        bound = server.add_insecure_port(f"{_ADDRESS}:{port}")
    except RuntimeError as error:
        raise OSError(f"port {port} is taken") from error
    server.start()
    return server, bound
