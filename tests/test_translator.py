"""The translator as people use it, and its SavedModel."""

import warnings

import keras
import numpy as np
import pytest

from keras_attention.models import RNNEncoderDecoder, RNNSearch, Seq2Seq
from keras_attention.text import SentencePieceTokenizer, WordTokenizer
from keras_attention.translation import Translation
from keras_attention.translator import Translator

tf = pytest.importorskip("tensorflow")

CORPUS = ["the cat sat on the mat", "a dog ran", "le chat était là", "un chien court vite", "oui non peut-être"] * 3
ODD = ["", "   ", "the cat", "a dog ran on the mat", "\U0001f642\U0001f680 ?", "zebra 42", "le chat était là " * 3]
SIZES = {
    Seq2Seq: {"embedding_dim": 8, "units": 8},
    RNNEncoderDecoder: {"embedding_dim": 8, "encoder_units": 8, "decoder_units": 8, "maxout_units": 8},
    RNNSearch: {"embedding_dim": 8, "encoder_units": 8, "decoder_units": 8, "maxout_units": 8},
}


def make(cls=RNNSearch, tokenizer_class=SentencePieceTokenizer, **limits):
    keras.utils.set_random_seed(0)
    options = {"vocabulary_size": 60} if tokenizer_class is SentencePieceTokenizer else {}
    tokenizer = tokenizer_class.train(CORPUS, **options)
    size = tokenizer.vocabulary_size
    model = cls(size, size, **SIZES[cls])
    for variable in model.trainable_variables:  # far from uniform, so that outputs differ from each other
        variable.assign(variable * 6)
    return Translator(model, tokenizer, tokenizer, **limits)


@pytest.fixture(scope="module")
def translator():
    return make()


def test_a_sentence_is_translated_as_if_alone(translator):
    together = translator.translate(ODD, return_scores=True)
    backwards = translator.translate(ODD[::-1], return_scores=True, batch_size=3)[::-1]
    for text, one, other in zip(ODD, together, backwards):
        alone = translator.translate([text], return_scores=True)[0]
        assert one.text == alone.text == other.text
        np.testing.assert_allclose([one.score, other.score], alone.score, rtol=1e-4, atol=1e-5)
    assert len({one.text for one in together}) > 2


@pytest.mark.parametrize("options", [{}, {"beam_width": 3, "return_alignment": True}], ids=["greedy", "beam"])
def test_many_sentences_at_once(options):
    """With a table of words, several batches at a time; the weights as they are when it is called."""
    translator = make()
    texts = (CORPUS[:5] + ODD) * 5
    size = translator.model.target_vocabulary_size
    assert sum(len(text) for text in translator.source_tokenizer.tokenize(texts)) > 2 * size
    for factor in (0.5, 0.7):  # not so large that rounding grows from step to step
        for variable in translator.model.trainable_variables:
            variable.assign(variable * factor)
        found = translator.translate(texts, batch_size=7, return_scores=True, **options)
        for text, one in zip(texts, found):
            alone = translator.translate([text], return_scores=True, **options)[0]
            assert one.text == alone.text
            np.testing.assert_allclose(one.score, alone.score, rtol=1e-4, atol=1e-5)
            if options:
                np.testing.assert_allclose(one.alignment, alone.alignment, atol=1e-4)
        assert len({one.text for one in found}) > 2


def test_an_error_in_a_batch_is_raised(translator, monkeypatch):
    def fail(*_):
        raise RuntimeError("no")

    monkeypatch.setattr(translator, "_translations", fail)
    with pytest.raises(RuntimeError, match="no"):
        translator.translate(ODD * 3, batch_size=3)


def test_empty_texts_and_no_texts(translator):
    assert translator.translate([]) == []
    for result in translator.translate(["", "  \t "], return_scores=True):
        assert (result.text, result.score) == ("", 0.0)


def test_alignment_fits_its_tokens(translator):
    for result in translator.translate(ODD, return_alignment=True):
        assert isinstance(result, Translation)
        assert result.alignment.shape == (len(result.target_tokens), len(result.source_tokens))
        np.testing.assert_allclose(result.alignment.sum(axis=1), 1, atol=1e-4)


def test_n_best_is_sorted_and_its_best_is_the_beams(translator):
    lists = translator.translate(ODD[2:5], beam_width=4, n_best=3)
    best = translator.translate(ODD[2:5], beam_width=4)
    for row, text in zip(lists, best):
        assert row[0].text == text
        assert len(row) == 3
        scores = [one.score for one in row]
        assert scores == sorted(scores, reverse=True)


def test_a_long_source_is_cut_with_a_warning():
    translator = make(maximum_source_length=8, maximum_length_extra=3)
    long = "the cat sat on " * 1250
    with pytest.warns(UserWarning, match=r"maximum_source_length=8.*texts\[1\]"):
        results = translator.translate(["a dog", long], return_alignment=True)
    assert len(results[1].source_tokens) == 9
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert translator.translate(["a dog"]) == [results[0].text]


def test_the_length_limit_is_proportional():
    translator = make(maximum_length_ratio=1.0, maximum_length_extra=2)
    for result in translator.translate(["the cat sat on the mat", "a"], return_alignment=True):
        assert len(result.target_tokens) <= len(result.source_tokens) - 1 + 2


@pytest.mark.parametrize("cls", [Seq2Seq, RNNEncoderDecoder])
def test_models_without_alignment_say_so(cls):
    translator = make(cls)
    assert len(translator.translate(["the cat"], beam_width=2)) == 1
    for options in ({"return_alignment": True}, {"replace_unknown": True}, {"beam_width": 2, "coverage_penalty": 0.2}):
        with pytest.raises(ValueError, match="has no alignment"):
            translator.translate(["the cat"], **options)


def test_unknown_words_are_replaced():
    translator = make(tokenizer_class=WordTokenizer)
    # A model that always writes the unknown word, then ends
    logits = np.full(translator.model.target_vocabulary_size, -50.0, "float32")
    logits[[translator.target_tokenizer.unknown_id, translator.target_tokenizer.end_id]] = 50.0, 49.0
    translator.model.word_projection.kernel.assign(translator.model.word_projection.kernel * 0)
    translator.model.word_projection.bias.assign(logits)
    plain = translator.translate(["zebra"], return_scores=True)[0]
    assert plain.target_tokens[0] == translator.target_tokenizer.id_to_piece(1)
    source_word = translator.source_tokenizer.pieces("cat")[0]
    copied = translator.translate([source_word], replace_unknown=True)[0]
    assert set(copied.split()) == {source_word}
    looked_up = translator.translate([source_word], replace_unknown=True, dictionary={source_word: "chat"})[0]
    assert set(looked_up.split()) == {"chat"}


def test_sampling(translator):
    first = translator.sample(ODD[2:5], seed=1, sample_count=3)
    assert first == translator.sample(ODD[2:5], seed=1, sample_count=3)
    assert first != translator.sample(ODD[2:5], seed=2, sample_count=3)
    assert [len(row) for row in first] == [3, 3, 3]


def test_a_batch_of_any_shape_traces_once():
    translator = make()
    translator.translate(ODD)
    (function,) = translator._functions.values()
    assert function.experimental_get_tracing_count() == 1
    translator.translate(ODD[:3])
    translator.translate(["the cat"], batch_size=20)
    assert list(translator._functions.values()) == [function]
    assert function.experimental_get_tracing_count() == 1
    for count in (25, 31):  # so many that a table of words pays
        translator.translate(["the cat sat on the mat a dog ran"] * count, batch_size=20)
    assert len(translator._functions) == 2
    assert [f.experimental_get_tracing_count() for f in translator._functions.values()] == [1, 1]


@pytest.mark.parametrize("tokenizer_class", [SentencePieceTokenizer, WordTokenizer])
@pytest.mark.parametrize("cls", SIZES)
def test_save_and_load(cls, tokenizer_class, tmp_path):
    translator = make(cls, tokenizer_class, maximum_length_ratio=1.5)
    translator.save(tmp_path)
    loaded = Translator.load(tmp_path)
    assert loaded.graph.maximum_length_ratio == 1.5
    assert loaded.translate(ODD) == translator.translate(ODD)


def test_a_failed_export_leaves_nothing(translator, tmp_path, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("different")

    monkeypatch.setattr("keras_attention.export.translation._compare", fail)
    with pytest.raises(RuntimeError):
        translator.export(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="version=0"):
        translator.export(tmp_path, version=0)


@pytest.mark.parametrize("texts", ["one string", [1], [None], [b"bytes"]])
def test_wrong_types(translator, texts):
    with pytest.raises(ValueError, match="list of strings"):
        translator.translate(texts)


def test_wrong_options(translator, tmp_path):
    with pytest.raises(ValueError, match="n_best=3"):
        translator.translate(["a"], n_best=3)
    with pytest.raises(ValueError, match="beam_width"):
        translator.translate(["a"], beam_width=0)
    with pytest.raises(ValueError, match="batch_size=0"):
        translator.translate(["a"], batch_size=0)
    with pytest.raises(ValueError, match="replace_unknown"):
        translator.translate(["a"], dictionary={"a": "b"})
    with pytest.raises(ValueError, match="saved translator"):
        Translator.load(tmp_path)
    with pytest.raises(ValueError, match="vocabulary_size"):
        Translator(Seq2Seq(5, 5, **SIZES[Seq2Seq]), translator.source_tokenizer, translator.target_tokenizer)
