"""Toy models and servers over them, made once per process."""

import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("grpc")
pytest.importorskip("tensorflow_serving", reason="tensorflow-serving-api comes with the extra 'serving'")
pytest.importorskip("aiohttp", reason="aiohttp comes with the extra 'serving'")

from serving.toy_models import write_toy_selector, write_toy_translator

from keras_attention.serving import BatchingParameters, GrpcClient, LocalServer, ModelConfig, RestClient

MAXIMUM_REQUEST_BYTES = 100_000
PATIENT = 300.0  # seconds: a busy machine is no failure


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toys")
    for version in (1, 2):
        write_toy_translator(folder / "translator", version)
    write_toy_selector(folder / "selector")
    write_toy_selector(folder / "index", with_index=True)
    return folder


@pytest.fixture(scope="session")
def toy_configs(toy_folder):
    return [
        ModelConfig("translator", str(toy_folder / "translator"), "all"),
        ModelConfig("selector", str(toy_folder / "selector")),
        ModelConfig("index", str(toy_folder / "index")),
    ]


@pytest.fixture(scope="session")
def plain_server(toy_configs):
    answers = {"selector": ["four", "a longer answer", "seven 7"]}
    limits = {"maximum_request_bytes": MAXIMUM_REQUEST_BYTES, "rest_timeout": PATIENT}
    with LocalServer(toy_configs, answers=answers, **limits) as server:
        yield server


@pytest.fixture(scope="session")
def batching_server(toy_configs):
    parameters = BatchingParameters(max_batch_size=8, batch_timeout_micros=20_000, allowed_batch_sizes=(1, 3, 8))
    limits = {"maximum_request_bytes": MAXIMUM_REQUEST_BYTES, "rest_timeout": PATIENT}
    with LocalServer(toy_configs, batching=parameters, **limits) as server:
        yield server


@pytest.fixture(params=["alone", "batched"])
def server(request):
    """Every test of this fixture holds with and without batching."""
    return request.getfixturevalue("plain_server" if request.param == "alone" else "batching_server")


@pytest.fixture
def grpc_client(server):
    with GrpcClient(server.grpc_address, "translator") as client:
        yield client


@pytest.fixture
def rest_client(server):
    return RestClient(server.rest_address, "translator")
