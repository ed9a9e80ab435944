"""gRPC: the answers, the status codes, and that the request after a bad one is answered as before."""

import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
import tensorflow as tf
from serving.conftest import MAXIMUM_REQUEST_BYTES
from serving.toy_models import ENDLESS
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from keras_attention.serving import GrpcClient, ServingError

TEXTS = {"text": ["abc", "", "été"]}
PATIENT = 120.0


def assert_answers_as_before(client):
    answer = client.predict(TEXTS, timeout=PATIENT)
    assert answer["translation"].tolist() == [b"cba", b"", "été".encode()]
    np.testing.assert_array_equal(answer["score"], np.float32([-3, 0, -5]))


def code_of(call, *arguments, **options):
    with pytest.raises(ServingError) as error:
        call(*arguments, **options)
    return error.value.code


def test_predict(grpc_client):
    assert_answers_as_before(grpc_client)
    answer = grpc_client.predict({"text": []}, timeout=PATIENT)
    assert answer["translation"].shape == answer["score"].shape == (0,)


def test_versions(server):
    answers = []
    for version in (1, 2, None):
        with GrpcClient(server.grpc_address, "translator", version) as client:
            answers.append(client.predict({"text": ["abc"]}, timeout=PATIENT)["translation"][0])
            assert client.status() == ({2: "AVAILABLE", 1: "AVAILABLE"} if version is None else {version: "AVAILABLE"})
    assert answers == [b"ABC", b"cba", b"cba"]


def test_metadata(grpc_client):
    signature = grpc_client.metadata()["serving_default"]
    assert signature.inputs["text"].dtype == tf.string.as_datatype_enum
    assert [dim.size for dim in signature.inputs["text"].tensor_shape.dim] == [-1]
    assert set(signature.outputs) == {"translation", "score"}


def test_the_fields_that_other_clients_read(server):
    """The stock server fills string_val and float_val; so must this one, for clients that read them."""
    with grpc.insecure_channel(server.grpc_address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        request = predict_pb2.PredictRequest(output_filter=["score"])
        request.model_spec.name = "translator"
        request.inputs["text"].CopyFrom(tf.make_tensor_proto(["abc"]))
        response = stub.Predict(request, timeout=PATIENT)
    assert list(response.outputs) == ["score"]
    assert list(response.outputs["score"].float_val) == [-3.0]
    assert (response.model_spec.name, response.model_spec.version.value) == ("translator", 2)
    assert response.model_spec.signature_name == "serving_default"


def test_all_types(grpc_client):
    x, n, flag = np.float32([[1, 2.5], [0, -1]]), np.int32([7, -7]), np.array([True, False])
    answer = grpc_client.predict({"x": x, "n": n, "flag": flag}, "numbers", timeout=PATIENT)
    for name, expected in {"x": x * 2, "n": n * 2, "flag": ~flag}.items():
        np.testing.assert_array_equal(answer[name], expected)
        assert answer[name].dtype == expected.dtype


@pytest.mark.parametrize(
    "inputs, signature_name, code",
    [
        (TEXTS, "nothing_of_the_kind", "FAILED_PRECONDITION"),
        ({"words": ["abc"]}, "serving_default", "INVALID_ARGUMENT"),
        ({}, "serving_default", "INVALID_ARGUMENT"),
        ({**TEXTS, "more": ["abc"]}, "serving_default", "INVALID_ARGUMENT"),
        ({"text": np.float32([1])}, "serving_default", "INVALID_ARGUMENT"),
        ({"text": np.array([["abc"]], object)}, "serving_default", "INVALID_ARGUMENT"),
        ({"text": np.array(b"abc", object)}, "serving_default", "INVALID_ARGUMENT"),
        ({"text": ["1", "no number"]}, "strict", "INVALID_ARGUMENT"),
        ({"text": ["x" * MAXIMUM_REQUEST_BYTES]}, "serving_default", "RESOURCE_EXHAUSTED"),
    ],
)
def test_wrong_requests(grpc_client, inputs, signature_name, code):
    assert code_of(grpc_client.predict, inputs, signature_name, PATIENT) == code
    assert_answers_as_before(grpc_client)


@pytest.mark.parametrize("name, version", [("translator", 3), ("nobody", None), ("", None)])
def test_unknown_models(server, name, version):
    with GrpcClient(server.grpc_address, name, version) as client:
        for call in (lambda: client.predict(TEXTS), client.metadata, client.status):
            assert code_of(call) == "NOT_FOUND"


def proto(sizes, values, dtype=tf.string):
    made = tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum, string_val=values)
    for size in sizes:
        made.tensor_shape.dim.add(size=size)
    return made


@pytest.mark.parametrize(
    "tensor, code",
    [
        (proto([2], [b"a", b"b", b"c"]), "INVALID_ARGUMENT"),  # more values than places
        (proto([2], []), "INVALID_ARGUMENT"),  # none
        (proto([-1], [b"a"]), "INVALID_ARGUMENT"),
        (proto([1 << 40], [b"a"]), "RESOURCE_EXHAUSTED"),  # one value for a shape that fills the memory
        (tensor_pb2.TensorProto(dtype=999), "INVALID_ARGUMENT"),
        (tensor_pb2.TensorProto(), "INVALID_ARGUMENT"),
    ],
)
def test_tensors_that_are_none(grpc_client, tensor, code):
    assert code_of(grpc_client.predict, {"text": tensor}, timeout=PATIENT) == code
    assert_answers_as_before(grpc_client)


def raw_code(server, body, method="/tensorflow.serving.PredictionService/Predict"):
    with grpc.insecure_channel(server.grpc_address) as channel, pytest.raises(grpc.RpcError) as error:
        channel.unary_unary(method)(body, timeout=PATIENT)
    return error.value.code()


def test_bytes_that_are_no_request(server, grpc_client):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "translator"
    not_utf8 = request.SerializeToString().replace(b"translator", b"translat\xff\xfe")
    for body in (not_utf8, b"\xff" * 20, b"", predict_pb2.PredictRequest().SerializeToString()):
        assert raw_code(server, body) == grpc.StatusCode.INVALID_ARGUMENT
    assert raw_code(server, b"", "/tensorflow.serving.PredictionService/Train") == grpc.StatusCode.UNIMPLEMENTED
    assert_answers_as_before(grpc_client)


def test_what_is_not_implemented_and_other_metadata(server):
    with grpc.insecure_channel(server.grpc_address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        with pytest.raises(grpc.RpcError) as error:
            stub.Classify(classification_pb2.ClassificationRequest(), timeout=PATIENT)
        assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["colour"])
        request.model_spec.name = "translator"
        with pytest.raises(grpc.RpcError) as error:
            stub.GetModelMetadata(request, timeout=PATIENT)
        assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        request.model_spec.name, request.model_spec.version_label = "translator", "stable"
        with pytest.raises(grpc.RpcError) as error:
            stub.GetModelMetadata(request, timeout=PATIENT)
        assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert model_service_pb2_grpc.ModelServiceStub(channel)


def test_bytes_that_are_no_text_go_through(server):
    data = [b"\xff\xfe\x00", b"", b"\x00"]
    with GrpcClient(server.grpc_address, "translator") as client:
        assert client.predict({"data_bytes": data}, "blob", PATIENT)["data_bytes"].tolist() == data


def test_deadline(grpc_client):
    """The call ends at its deadline, and so does the work for it: every thread is free again."""
    calls = [grpc_client.submit({"steps": np.int64([ENDLESS])}, "slow", timeout=1.0) for _ in range(4)]
    assert [code_of(call.result) for call in calls] == ["DEADLINE_EXCEEDED"] * 4
    assert_answers_as_before(grpc_client)


def test_cancelled_calls(grpc_client):
    calls = [grpc_client.submit({"steps": np.int64([ENDLESS])}, "slow", timeout=3.0) for _ in range(4)]
    for call in calls:
        assert call.cancel()
    assert [code_of(call.result) for call in calls] == ["CANCELLED"] * 4
    assert_answers_as_before(grpc_client)


def test_many_threads_get_their_own_answers(grpc_client):
    start = threading.Barrier(16)

    def ask(i):
        start.wait()
        answers = []
        for j in range(6):
            texts = [f"{i} {j} {k}" for k in range(1 + (i + j) % 3)]
            answer = grpc_client.predict({"text": texts}, timeout=PATIENT)
            answers.append(answer["translation"].tolist() == [text[::-1].encode() for text in texts])
        return all(answers)

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(16)))


def test_no_server():
    with GrpcClient("127.0.0.1:1", "translator") as client:
        assert code_of(client.predict, TEXTS, timeout=2.0) in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
