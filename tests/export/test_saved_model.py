"""How an export comes to its place: whole or not at all, beside other versions, with its warm-up requests."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from export.cases import TEXTS, make, make_selector, make_translator

from keras_attention.export.warm_up import WARM_UP_FILE
from keras_attention.models import APCNN, QACNN, RNNSearch

tf = pytest.importorskip("tensorflow")

# Exports to the folder of its first argument, and stands still where the written model is compared.
EXPORTER = """
import sys, time
from export.cases import make_selector
from keras_attention.export import answer_selection
from keras_attention.models import QACNN
answer_selection.compare_signatures = lambda *arguments: time.sleep(600)
make_selector(QACNN, "word").export(sys.argv[1])
"""


def versions(directory):
    """Return what a server would take for versions: folders named by a number."""
    return sorted(path.name for path in directory.iterdir() if path.name.isdigit())


def test_a_killed_export_leaves_no_version(tmp_path):
    tests = str(Path(__file__).parents[1])
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {tests!r})\n{EXPORTER}", str(tmp_path)]
    process = subprocess.Popen(command, cwd=Path(tests).parent, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        while not list(tmp_path.glob("*/saved_model.pb")):
            assert process.poll() is None, process.stderr.read().decode()
            time.sleep(0.02)
    finally:
        process.kill()  # SIGKILL: no handler, no clean-up
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir())  # it had begun
    assert versions(tmp_path) == []
    path = make_selector(QACNN, "word").export(tmp_path)
    assert versions(tmp_path) == ["1"] == [path.name]


def test_two_versions_side_by_side(tmp_path):
    """Two models of one name, loaded at once, keep to themselves."""
    first, second = make_translator(RNNSearch), make_translator(RNNSearch)
    for variable in second.model.trainable_variables:
        variable.assign(-variable)
    for translator in (first, second):
        translator.export(tmp_path)
    assert versions(tmp_path) == ["1", "2"]
    served = [tf.saved_model.load(str(tmp_path / name)).signatures["serving_default"] for name in "1212"]
    answers = [
        [text.decode() for text in serve(text=tf.constant(TEXTS))["translation"].numpy()]
        for serve in [*served, served[0]]
    ]
    assert answers[0] == answers[2] == answers[4] == first.translate(TEXTS)
    assert answers[1] == answers[3] == second.translate(TEXTS)
    assert answers[0] != answers[1]


@pytest.mark.parametrize("cls", [RNNSearch, APCNN])
@pytest.mark.parametrize("interface", ["text", "token_ids"])
def test_warm_up_requests_are_read_back_and_replayed(cls, interface, tmp_path):
    """As a server does it, with TF Serving's own definition of the records."""
    prediction_log_pb2 = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2")
    path = make(cls).export(tmp_path / "a_model", interface=interface)
    signatures = tf.saved_model.load(str(path)).signatures
    records = [record.numpy() for record in tf.data.TFRecordDataset(str(path / WARM_UP_FILE))]
    logs = [prediction_log_pb2.PredictionLog.FromString(record) for record in records]
    requests = [log.predict_log.request for log in logs]
    assert {log.WhichOneof("log_type") for log in logs} == {"predict_log"}
    assert {request.model_spec.name for request in requests} == {"a_model"}
    assert {request.model_spec.signature_name for request in requests} == set(signatures)
    for log, record in zip(logs, records):
        assert log.SerializeToString(deterministic=True) == record or len(log.predict_log.request.inputs) > 1
    for request in requests:
        signature = signatures[request.model_spec.signature_name]
        inputs = {name: tf.constant(tf.make_ndarray(tensor)) for name, tensor in request.inputs.items()}
        assert set(inputs) == set(signature.structured_input_signature[1])
        for name, value in signature(**inputs).items():
            # An empty text has one translation; the places of further ones have the score -inf.
            assert value.dtype == tf.string or not np.isnan(value).any(), name
        if inputs.keys() == {"text"}:
            assert len(set(inputs["text"].numpy().tolist())) > 3
