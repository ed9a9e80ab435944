"""Two devices train what one device trains, to float32 rounding."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_attention.models import QACNN
from keras_attention.training.answer_selection import AnswerSelectionTraining, fit_answer_selection
from keras_attention.training.precision import compile_for_training
from keras_attention.training.replicas import every_device, share_answer_selection, share_translation

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.distribute")

# Tolerances of the weights. Adam: on one device by TensorFlow's operation, on two by Keras' with 1 - 0.999 rounded.
CASES = {"translation": 2e-6, "sampled": 2e-6, "in_batch": 2e-6, "adam": 2e-5}


@pytest.fixture(scope="module")
def compared():
    script = Path(__file__).with_name("on_two_devices.py")
    done = subprocess.run([sys.executable, script, *CASES], capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("case", CASES)
def test_the_weights_and_the_loss_are_those_of_one_device(case, compared):
    found = compared[case]
    assert found["largest"] > 0.1
    assert found["difference"] < CASES[case] * max(1.0, found["largest"])
    np.testing.assert_allclose(found["two"], found["one"], rtol=1e-5)


@pytest.mark.parametrize("devices", [[], ["GPU:0"]])
def test_with_one_device_there_is_no_strategy(devices, monkeypatch):
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind=None: devices)
    assert every_device() is None


class TwoReplicas:
    """As much of a strategy as the sharing of batches needs."""

    num_replicas_in_sync = 2

    def distribute_datasets_from_function(self, function):
        return function(None)


def test_shares_of_sentence_pairs():
    """Five rows become twice three; six real tokens weigh a sixth each; the row that fills up weighs nothing."""
    labels = np.array([[5, 6], [5, 0], [7, 0], [8, 0], [9, 0]], "int32")
    weights = (labels != 0).astype("float32")
    dataset = tf.data.Dataset.from_tensors(({"source_ids": labels + 1, "target_ids": labels}, labels, weights))
    first, second = share_translation(dataset, TwoReplicas()).as_numpy_iterator()
    assert first[1].tolist() == [[5, 6], [5, 0], [7, 0]]
    assert second[1].tolist() == [[8, 0], [9, 0], [9, 0]]
    assert second[0]["source_ids"].tolist() == [[9, 1], [10, 1], [10, 1]]
    np.testing.assert_allclose(first[2], np.array([[1, 1], [1, 0], [1, 0]]) / 6)
    np.testing.assert_allclose(second[2], np.array([[1, 0], [1, 0], [0, 0]]) / 6)


def test_shares_of_questions():
    """In batch: every share has all answers. A question without a wrong answer is not counted."""
    labels = np.array([[1, 0, 0], [0, 1, -1], [-1, -1, 1]], "float32")
    inputs = {"question_ids": np.array([[1], [2], [3]]), "answer_ids": np.array([[4], [5], [6]]), "labels": labels}
    dataset = tf.data.Dataset.from_tensors((inputs, labels))
    first, second = share_answer_selection(dataset, TwoReplicas()).as_numpy_iterator()
    for share in (first, second):
        assert share[0]["answer_ids"].tolist() == [[4], [5], [6]]
        np.testing.assert_array_equal(share[0]["labels"], share[1])
    assert first[0]["question_ids"].tolist() == [[1], [2]]
    assert second[0]["question_ids"].tolist() == [[3], [3]]
    assert second[1].tolist() == [[-1, -1, 1], [-1, -1, -1]]
    assert first[2].tolist() == [0.5, 0.5]
    assert second[2].tolist() == [0.5, 0.0]


def test_sampled_wrong_answers_go_with_their_question():
    answers = np.arange(12).reshape(3, 2, 2)
    labels = np.array([[1, 0]] * 3, "float32")
    inputs = {"question_ids": np.array([[1], [2], [3]]), "answer_ids": answers, "labels": labels}
    first, second = share_answer_selection(
        tf.data.Dataset.from_tensors((inputs, labels)), TwoReplicas()
    ).as_numpy_iterator()
    np.testing.assert_array_equal(first[0]["answer_ids"], answers[:2])
    np.testing.assert_array_equal(second[0]["answer_ids"], answers[[2, 2]])
    np.testing.assert_allclose(np.concatenate([first[2], second[2]]), [1 / 3, 1 / 3, 1 / 3, 0], rtol=1e-6)


def test_what_cannot_be_shared_is_refused(monkeypatch, tmp_path):
    model = QACNN(9, embedding_width=4, filters=3)
    arguments = (model, lambda epoch: None, 1, AnswerSelectionTraining(symmetric=True), tmp_path, dict)
    monkeypatch.setattr(model, "_distribute_strategy", TwoReplicas())
    with pytest.raises(ValueError, match="symmetric=True"):
        fit_answer_selection(*arguments)

    monkeypatch.setattr("keras_attention.training.precision.strategy_in_scope", TwoReplicas)
    half = QACNN(9, embedding_width=4, filters=3, dtype="mixed_float16")
    with pytest.raises(ValueError, match="Take 'mixed_bfloat16'"):
        compile_for_training(half, AnswerSelectionTraining(precision="mixed_float16"), optimizer="adam", loss="mse")

    class Workers(tf.distribute.MultiWorkerMirroredStrategy):
        num_replicas_in_sync = 2

        def __init__(self):
            pass

    monkeypatch.setattr(model, "_distribute_strategy", Workers())
    with pytest.raises(ValueError, match=r"keras\.distribution\.DataParallel"):
        fit_answer_selection(*arguments)
