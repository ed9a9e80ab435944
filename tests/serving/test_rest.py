"""REST: row and column form, the status codes, and that the request after a bad one is answered as before."""

import http.client
import json
import subprocess
import sys
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest
from serving.conftest import MAXIMUM_REQUEST_BYTES
from serving.toy_models import ENDLESS

from keras_attention.serving import LocalServer, RestClient, ServingError

PATIENT = 120.0
PREDICT = "/v1/models/translator:predict"


def send(server, method, path, body=None, **headers):
    """One request without the client's help; `(status, document)`."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.rest_address).netloc, timeout=PATIENT)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        assert response.headers["Content-Type"].startswith("application/json")
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def assert_answers_as_before(server):
    status, document = send(server, "POST", PREDICT, json.dumps({"inputs": ["abc", "", "été"]}))
    assert status == 200
    assert document == {"outputs": {"translation": ["cba", "", "été"], "score": [-3.0, 0.0, -5.0]}}


@pytest.mark.parametrize("instances", [["abc", "été"], [{"text": "abc"}, {"text": {"b64": "w6l0w6k="}}]])
def test_row_form(rest_client, instances):
    expected = [{"translation": "cba", "score": -3.0}, {"translation": "été", "score": -5.0}]
    assert rest_client.predict_rows(instances, timeout=PATIENT) == expected


def test_column_form(server, rest_client):
    assert_answers_as_before(server)
    answer = rest_client.predict({"text": ["abc"]}, timeout=PATIENT)
    assert answer == {"translation": ["cba"], "score": [-3.0]}
    assert rest_client.predict({"text": []}, timeout=PATIENT) == {"translation": [], "score": []}


def test_versions_status_and_metadata(server, rest_client):
    for version, expected in ((1, "ABC"), (2, "cba")):
        client = RestClient(server.rest_address, "translator", version)
        assert client.predict_rows(["abc"], timeout=PATIENT)[0]["translation"] == expected
        assert client.status() == {version: "AVAILABLE"}
    assert rest_client.status() == {1: "AVAILABLE", 2: "AVAILABLE"}
    status, document = send(server, "GET", "/v1/models/translator/versions/1")
    assert status == 200
    version = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    assert document == {"model_version_status": [version]}
    status, document = send(server, "GET", "/v1/models/selector/metadata")
    assert status == 200
    assert document["model_spec"]["name"] == "selector"
    assert document["model_spec"]["version"] == "1"
    signature = document["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["inputs"]["question"]["dtype"] == "DT_STRING"
    assert signature["inputs"]["question"]["tensor_shape"]["dim"] == [{"size": "-1", "name": ""}]
    assert list(signature["outputs"]) == ["similarity"]
    assert RestClient(server.rest_address, "selector").metadata()["serving_default"] == signature


def test_all_types(rest_client):
    rows = [{"x": [1, 0.1], "n": 7, "flag": True}, {"x": [0, -1e30], "n": -7, "flag": False}]
    assert rest_client.predict_rows(rows, "numbers", PATIENT) == [
        {"x": [2.0, 0.2], "n": 14, "flag": False},
        {"x": [0.0, -2e30], "n": -14, "flag": True},
    ]


def test_bytes(rest_client):
    """Outputs named *_bytes come in base64; one output comes without its name; the client sends bytes as base64."""
    assert rest_client.predict_rows([b"\xff\xfe\x00", b""], "blob", PATIENT) == [{"b64": "//4A"}, {"b64": ""}]


def test_a_scalar(plain_server):
    client = RestClient(plain_server.rest_address, "translator")
    assert client.predict({"value": 1.5}, "doubled", PATIENT) == 3.0


def test_one_question_and_many_answers_go_in_columns(plain_server):
    client = RestClient(plain_server.rest_address, "selector")
    ranked = client.predict({"question": ["four"], "answers": ["a", "five.", "four"]}, "rank", PATIENT)
    assert ranked == {"similarity": [0.25, 0.5, 1.0], "order": [2, 1, 0]}


def test_batching_refuses_inputs_of_different_length_as_the_stock_server_does(batching_server):
    client = RestClient(batching_server.rest_address, "selector")
    with pytest.raises(ServingError, match="one first dimension") as error:
        client.predict({"question": ["four"], "answers": ["a", "b"]}, "rank", PATIENT)
    assert error.value.http_status == 400
    with pytest.raises(ServingError, match="max_batch_size=8") as error:
        client.predict({"question": ["four"] * 9, "answer": ["a"] * 9}, timeout=PATIENT)
    assert error.value.http_status == 400


@pytest.mark.parametrize(
    "body, complaint",
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[" * (MAXIMUM_REQUEST_BYTES - 1), "not JSON"),
        (b'{"inputs": ' + b"[" * 100 + b"]" * 100 + b"}", "100 deep"),
        (b"[]", "JSON object"),
        (b'{"inputs": ["caf\xe9"]}', "UTF-8"),
        (b'{"inputs": ["\\ud800"]}', "surrogate"),
        (b"{}", "'instances' and 'inputs'"),
        (b'{"inputs": ["a"], "instances": ["a"]}', "'instances' and 'inputs'"),
        (b'{"inputs": ["a"], "signature_name": 1}', "must be a string"),
        (b'{"inputs": ["a"], "signature_name": "other"}', "not found"),
        (b'{"instances": []}', "at least one"),
        (b'{"instances": "a"}', "must be a list"),
        (b'{"instances": [{"words": "a"}]}', "keys ['text']"),
        (b'{"instances": [{"text": "a"}, "b"]}', "item 1"),
        (b'{"instances": ["a", {"text": "b"}]}', "item 1"),
        (b'{"instances": [["a"], ["b"]]}', "shape"),
        (b'{"instances": ["a", ["b"]]}', "a list where values stand"),
        (b'{"inputs": {"words": ["a"]}}', "missing"),
        (b'{"inputs": [1]}', "expected string"),
        (b'{"inputs": [null]}', "expected string"),
        (b'{"inputs": [{"b64": "*"}]}', "not base64"),
        (b'{"inputs": "a"}', "shape"),
        (b'{"inputs": [["a", "b"], ["c"]]}', "expected lists of 2"),
        (b'{"inputs": ["no number"], "signature_name": "strict"}', ""),
        (b'{"inputs": [[1, 2]], "signature_name": "numbers"}', "must name the inputs"),
        (b'{"inputs": {"x": [[1, 2]], "n": [1.5], "flag": [true]}, "signature_name": "numbers"}', "expected int32"),
        (b'{"inputs": {"x": [[1, 2]], "n": [true], "flag": [true]}, "signature_name": "numbers"}', "expected int32"),
        (b'{"inputs": {"x": [[1, 2]], "n": [3e9], "flag": [true]}, "signature_name": "numbers"}', "expected int32"),
        (b'{"inputs": {"x": [[1, "2"]], "n": [1], "flag": [true]}, "signature_name": "numbers"}', "expected float32"),
        (b'{"inputs": {"x": [[1, 2]], "n": [1], "flag": [1]}, "signature_name": "numbers"}', "expected bool"),
    ],
)
def test_wrong_bodies(server, body, complaint):
    status, document = send(server, "POST", PREDICT, body)
    assert (status, set(document)) == (400, {"error"})
    assert complaint in document["error"]
    assert_answers_as_before(server)


@pytest.mark.parametrize(
    "method, path, expected",
    [
        ("POST", "/v1/models/nobody:predict", 404),
        ("POST", "/v1/models/translator/versions/3:predict", 404),
        ("POST", "/v1/models/translator/versions/99999999999999999999:predict", 400),
        ("POST", "/v1/models/translator/labels/stable:predict", 400),
        ("POST", "/v1/models/translator:classify", 501),
        ("POST", "/v1/models/translator:train", 400),
        ("POST", "/v1/models/translator", 400),
        ("GET", "/v1/models/translator:predict", 400),
        ("PUT", "/v1/models/translator:predict", 400),
        ("GET", "/v1/models/nobody", 404),
        ("GET", "/v1/models/translator/versions/3/metadata", 404),
        ("GET", "/v1/models/translator/versions/x", 400),
        ("GET", "/v1/models", 400),
        ("GET", "/favicon.ico", 404),
        ("GET", "/../pyproject.toml", 404),
    ],
)
def test_wrong_paths(server, method, path, expected):
    status, document = send(server, method, path, b'{"inputs": ["abc"]}' if method != "GET" else None)
    assert (status, set(document)) == (expected, {"error"})


def test_oversized(server):
    body = json.dumps({"inputs": ["x" * MAXIMUM_REQUEST_BYTES]})
    status, document = send(server, "POST", PREDICT, body)
    assert (status, set(document)) == (413, {"error"})
    assert_answers_as_before(server)
    with pytest.raises(ServingError) as error:
        RestClient(server.rest_address, "translator").predict({"text": ["x" * MAXIMUM_REQUEST_BYTES]}, timeout=PATIENT)
    assert error.value.code == "RESOURCE_EXHAUSTED"


def test_another_host_name_is_refused(server):
    """A page of the web that has its own name point here gets nothing."""
    status, _ = send(server, "POST", PREDICT, b'{"inputs": ["abc"]}', Host="example.com")
    assert status == 403
    port = server.rest_address.rsplit(":", 1)[1]
    status, _ = send(server, "POST", PREDICT, b'{"inputs": ["abc"]}', Host=f"localhost:{port}")
    assert status == 200


def test_the_servers_time_limit(toy_folder):
    with LocalServer({"translator": toy_folder / "translator"}, rest_timeout=1.0) as server:
        status, document = send(server, "POST", PREDICT, json.dumps({"signature_name": "slow", "inputs": [ENDLESS]}))
        assert (status, set(document)) == (504, {"error"})


def test_a_client_that_goes_away(server):
    """The client gives up; the server goes on answering others, and stops the work at its own limit or before."""
    client = RestClient(server.rest_address, "translator")
    with pytest.raises(ServingError) as error:
        client.predict({"steps": [200_000]}, "slow", timeout=0.2)
    assert error.value.code == "DEADLINE_EXCEEDED"
    assert_answers_as_before(server)


def test_many_threads_get_their_own_answers(rest_client):
    start = threading.Barrier(12)

    def ask(i):
        start.wait()
        answers = []
        for j in range(4):
            texts = [f"{i} {j} {k}" for k in range(1 + (i + j) % 3)]
            got = [row["translation"] for row in rest_client.predict_rows(texts, timeout=PATIENT)]
            answers.append(got == [text[::-1] for text in texts])
        return all(answers)

    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(ask, range(12)))


def test_no_server():
    with pytest.raises(ServingError) as error:
        RestClient("http://127.0.0.1:1", "translator").status(timeout=2.0)
    assert error.value.code == "UNAVAILABLE"


def test_closing_ends_what_was_begun(toy_folder):
    began = time.monotonic()
    with LocalServer({"selector": toy_folder / "selector"}) as server:
        assert RestClient(server.rest_address, "selector").status() == {1: "AVAILABLE"}
        address = server.rest_address
    with pytest.raises(ServingError):
        RestClient(address, "selector").status(timeout=2.0)
    assert time.monotonic() - began < PATIENT


def test_the_client_loads_nothing_heavy():
    program = (
        "import sys; from keras_attention.serving import RestClient, read_model_configs; "
        "heavy = {'tensorflow', 'keras', 'grpc', 'aiohttp'} & set(sys.modules); sys.exit(', '.join(heavy) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
