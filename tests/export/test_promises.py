"""What every export promises, for every model with every tokenizer."""

import shutil

import numpy as np
import pytest
from export import c_program
from export.cases import ANSWER_SELECTION_MODELS, TEXTS, TRANSLATION_MODELS, make, with_both_tokenizers

tf = pytest.importorskip("tensorflow")

UNKNOWN = None
# Signatures as the documentation has them: name: (inputs, outputs), each name: (dtype, shape).
TRANSLATION_SIGNATURES = {
    "serving_default": (
        {"text": ("string", [UNKNOWN])},
        {"translation": ("string", [UNKNOWN]), "score": ("float32", [UNKNOWN])},
    ),
    "n_best": (
        {"text": ("string", [UNKNOWN])},
        {"translations": ("string", [UNKNOWN, UNKNOWN]), "scores": ("float32", [UNKNOWN, UNKNOWN])},
    ),
    "alignment": (
        {"text": ("string", [UNKNOWN])},
        {
            "translation": ("string", [UNKNOWN]),
            "score": ("float32", [UNKNOWN]),
            "source_tokens": ("string", [UNKNOWN, UNKNOWN]),
            "target_tokens": ("string", [UNKNOWN, UNKNOWN]),
            "alignment": ("float32", [UNKNOWN, UNKNOWN, UNKNOWN]),
        },
    ),
}
ANSWER_SELECTION_SIGNATURES = {
    "serving_default": (
        {"question": ("string", [UNKNOWN]), "answer": ("string", [UNKNOWN])},
        {"similarity": ("float32", [UNKNOWN])},
    ),
    "rank": (
        {"question": ("string", [1]), "answers": ("string", [UNKNOWN])},
        {"similarity": ("float32", [UNKNOWN]), "order": ("int32", [UNKNOWN])},
    ),
}

# Of models that pool by attention.
ATTENTION_SIGNATURE = {
    "attention": (
        {"question": ("string", [UNKNOWN]), "answer": ("string", [UNKNOWN])},
        {
            "similarity": ("float32", [UNKNOWN]),
            "question_tokens": ("string", [UNKNOWN, UNKNOWN]),
            "question_weights": ("float32", [UNKNOWN, UNKNOWN]),
            "answer_tokens": ("string", [UNKNOWN, UNKNOWN]),
            "answer_weights": ("float32", [UNKNOWN, UNKNOWN]),
        },
    ),
}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return c_program.build(tmp_path_factory.mktemp("program"))


def assert_signatures(signatures, expected):
    assert set(signatures) == set(expected)
    for name, (inputs, outputs) in expected.items():
        given = signatures[name].structured_input_signature[1]
        assert {key: (spec.dtype.name, list(spec.shape)) for key, spec in given.items()} == inputs
        answered = signatures[name].structured_outputs
        assert {key: spec.dtype.name for key, spec in answered.items()} == {key: t for key, (t, _) in outputs.items()}
        for key, (_, shape) in outputs.items():
            assert answered[key].shape.rank in (None, len(shape)), key
            # The batch is unknown wherever it stands in the shape.
            assert answered[key].shape.rank is None or answered[key].shape[0] is None, key


def assert_same(answer, expected, rtol=1e-5):
    """Strings and integers equal, floats to `rtol` (or as near to 0 as float32 sums of this size come)."""
    for key, value in expected.items():
        value, given = np.asarray(value), np.asarray(answer[key])
        assert value.shape == given.shape, key
        if value.dtype == np.float32:
            np.testing.assert_allclose(given, value, rtol=rtol, atol=1e-6, err_msg=key)
        else:
            values = [x.decode() if isinstance(x, bytes) else x for x in value.ravel().tolist()]
            assert [x.decode() if isinstance(x, bytes) else x for x in given.ravel().tolist()] == values, key


def assert_alone_as_together(signature, *columns):
    """Each row of a batch of mixed lengths must be answered as if it were alone."""
    names = sorted(signature.structured_input_signature[1])
    together = signature(**{name: tf.constant(column) for name, column in zip(names, columns)})
    for i in range(len(columns[0])):
        alone = signature(**{name: tf.constant(column[i : i + 1]) for name, column in zip(names, columns)})
        assert_same(alone, {key: value[i : i + 1] for key, value in together.items()})
    return together


@pytest.mark.parametrize("cls, tokenizer", with_both_tokenizers(TRANSLATION_MODELS))
def test_a_translator(cls, tokenizer, tmp_path, program):
    translator = make(cls, tokenizer)
    expected = translator.translate(TEXTS, return_scores=True)
    assert len({one.text for one in expected}) > 3
    # `export` itself checks the operations against the stock list; test_stock_operations.py holds that check.
    written = translator.export(tmp_path / "here", beam_width=2)
    moved = tmp_path / "moved" / "1"
    shutil.move(written, moved)
    for file in [moved, *moved.rglob("*")]:
        file.chmod(0o555 if file.is_dir() else 0o444)
    signatures = tf.saved_model.load(str(moved)).signatures
    has_alignment = translator.model.has_alignment
    assert_signatures(
        signatures, {k: v for k, v in TRANSLATION_SIGNATURES.items() if has_alignment or k != "alignment"}
    )
    together = assert_alone_as_together(signatures["serving_default"], TEXTS)
    assert [text.decode() for text in together["translation"].numpy()] == [one.text for one in expected]
    np.testing.assert_allclose(together["score"], [one.score for one in expected], rtol=1e-5, atol=1e-6)
    assert assert_alone_as_together(signatures["n_best"], TEXTS)["translations"].shape == (len(TEXTS), 2)
    for signature in signatures.values():
        nothing = signature(text=tf.constant([], tf.string))
        assert {value.shape[0] for value in nothing.values()} == {0}

    libraries = c_program.text_libraries()
    in_c = c_program.run(program, moved, libraries, "serving_default", {"text": TEXTS}, tmp_path)
    assert_same(in_c, together)
    without = c_program.run(program, moved, [], "serving_default", {"text": TEXTS}, tmp_path)
    assert "Op type not registered" in without


@pytest.mark.parametrize("cls, tokenizer", with_both_tokenizers(ANSWER_SELECTION_MODELS))
def test_a_selector(cls, tokenizer, tmp_path, program):
    selector = make(cls, tokenizer)
    answers = TEXTS[1:] + TEXTS[:1]
    written = selector.export(tmp_path / "here")
    moved = tmp_path / "moved" / "1"
    shutil.move(written, moved)
    for file in [moved, *moved.rglob("*")]:
        file.chmod(0o555 if file.is_dir() else 0o444)
    signatures = tf.saved_model.load(str(moved)).signatures
    assert_signatures(
        signatures, {**ANSWER_SELECTION_SIGNATURES, **(ATTENTION_SIGNATURE if selector.has_weights else {})}
    )
    pairs = assert_alone_as_together(signatures["serving_default"], answers, TEXTS)  # inputs in order of their names
    expected = [selector.rank(question, [answer])[0].score for question, answer in zip(TEXTS, answers)]
    np.testing.assert_allclose(pairs["similarity"], expected, rtol=1e-5, atol=1e-6)
    assert len({round(score, 4) for score in expected}) > 3

    libraries = c_program.text_libraries()
    inputs = {"question": TEXTS, "answer": answers}
    assert_same(c_program.run(program, moved, libraries, "serving_default", inputs, tmp_path), pairs)
    ranked = signatures["rank"](question=tf.constant(TEXTS[:1]), answers=tf.constant(answers))
    inputs = {"question": TEXTS[:1], "answers": answers}
    assert_same(c_program.run(program, moved, libraries, "rank", inputs, tmp_path), ranked)
    assert "Op type not registered" in c_program.run(program, moved, [], "rank", inputs, tmp_path)
