"""TFLite files: ids in and out, TFLite's own operations, the same answers as the model's."""

import numpy as np
import pytest
from export.cases import ANSWER_SELECTION_MODELS, TRANSLATION_MODELS, make_selector, make_translator

from keras_attention.export.tflite import run_tflite, write_tflite
from keras_attention.models import Seq2Seq

tf = pytest.importorskip("tensorflow")


@pytest.mark.parametrize("cls", TRANSLATION_MODELS)
def test_a_translator(cls, tmp_path):
    translator = make_translator(cls)
    path = translator.export_tflite(tmp_path / "new" / "model.tflite", source_length=12)
    content = path.read_bytes()
    assert [file.name for file in path.parent.iterdir()] == ["model.tflite"]
    for text in ("", "the cat", "un chien court vite"):
        ids = translator.graph.source_ids([text]).numpy()
        length, score, target_ids = run_tflite(content, {"source_ids": np.pad(ids, [[0, 0], [0, 12 - ids.shape[1]]])})
        expected = translator.translate([text], return_scores=True)[0]
        assert translator.target_tokenizer.detokenize(target_ids)[0].numpy().decode() == expected.text
        assert length.tolist() == [len(expected.target_tokens)]
        np.testing.assert_allclose(score, [expected.score], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("cls", ANSWER_SELECTION_MODELS)
def test_a_selector(cls, tmp_path):
    selector = make_selector(cls)
    content = selector.export_tflite(tmp_path / "model.tflite").read_bytes()
    scores = []
    for question, answer in (("the cat", "a dog ran"), ("", "a dog"), ("un chien court", "le chat était là ?")):
        ids = [selector.graph.ids([text], length) for text, length in ((question, 6), (answer, 7))]
        ids = [np.pad(row, [[0, 0], [0, length - row.shape[1]]]) for row, length in zip(ids, (6, 7))]
        (similarity,) = run_tflite(content, {"question_ids": ids[0], "answer_ids": ids[1]})
        np.testing.assert_allclose(similarity, [selector.rank(question, [answer])[0].score], rtol=1e-4, atol=1e-5)
        scores.append(round(float(similarity[0]), 3))
    assert len(set(scores)) == 3


def test_what_answers_otherwise_is_not_written(tmp_path):
    calls = []

    def function(x):
        calls.append(x)
        return {"y": x + float(len(calls))}  # another number each time: the file keeps the first

    signature = [tf.TensorSpec([2], tf.float32, name="x")]
    with pytest.raises(RuntimeError, match="does not answer as the model does"):
        write_tflite(tmp_path / "file.tflite", function, signature, [{"x": np.ones(2, "float32")}])
    assert list(tmp_path.iterdir()) == []


def test_too_short(tmp_path):
    with pytest.raises(ValueError, match="source_length=1"):
        make_translator(Seq2Seq).export_tflite(tmp_path / "file.tflite", source_length=1)
