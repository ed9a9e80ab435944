"""What the package exports, through both protocols: the same strings and scores as the models themselves."""

import keras
import numpy as np
import pytest

from keras_attention.answer_selector import AnswerSelector
from keras_attention.models import RNNSearch
from keras_attention.models.answer_selection import APCNN
from keras_attention.serving import BatchingParameters, GrpcClient, LocalServer, RestClient
from keras_attention.text import SentencePieceTokenizer, WordTokenizer
from keras_attention.translator import Translator

CORPUS = ["the cat sat on the mat", "a dog ran", "le chat était là", "un chien court vite", "oui non peut-être"] * 3
TEXTS = ["the cat", "", "a dog ran on the mat", "\U0001f642 ?", "le chat était là " * 3]
PATIENT = 300.0


@pytest.fixture(scope="module")
def models():
    keras.utils.set_random_seed(0)
    tokenizer = SentencePieceTokenizer.train(CORPUS, vocabulary_size=60)
    sizes = {"embedding_dim": 8, "encoder_units": 8, "decoder_units": 8, "maxout_units": 8}
    model = RNNSearch(tokenizer.vocabulary_size, tokenizer.vocabulary_size, **sizes)
    for variable in model.trainable_variables:  # far from uniform, so that outputs differ from each other
        variable.assign(variable * 3)
    translator = Translator(model, tokenizer, tokenizer)
    words = WordTokenizer.train(CORPUS)
    model = APCNN(words.vocabulary_size, embedding_width=8, filters=8)
    random = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(random.normal(scale=0.7, size=variable.shape))
    return translator, AnswerSelector(model, words, question_length=6, answer_length=8)


@pytest.fixture(scope="module")
def folders(models, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    for name, model in zip(("translator", "selector"), models):
        model.export(folder / name)
    return {name: folder / name for name in ("translator", "selector")}


@pytest.fixture(scope="module", params=["alone", "batched"])
def served(request, folders):
    batching = (
        BatchingParameters(max_batch_size=16, batch_timeout_micros=20_000) if request.param == "batched" else None
    )
    with LocalServer(folders, batching=batching, rest_timeout=PATIENT) as server:
        yield server


def test_translations(models, served):
    expected = models[0].translate(TEXTS, return_scores=True)
    rows = RestClient(served.rest_address, "translator").predict_rows(TEXTS, timeout=PATIENT)
    with GrpcClient(served.grpc_address, "translator") as client:
        columns = client.predict({"text": TEXTS}, timeout=PATIENT)
        calls = [client.submit({"text": [text]}, timeout=PATIENT) for text in TEXTS]  # one by one, at the same time
        single = [call.result() for call in calls]
    for i, one in enumerate(expected):
        answers = [
            (rows[i]["translation"], rows[i]["score"]),
            (columns["translation"][i].decode(), columns["score"][i]),
            (single[i]["translation"][0].decode(), single[i]["score"][0]),
        ]
        for text, score in answers:
            assert text == one.text
            np.testing.assert_allclose(score, one.score, rtol=1e-4, atol=1e-5)
    assert len({one.text for one in expected}) > 2


def test_alignment(models, served):
    rows = RestClient(served.rest_address, "translator").predict_rows(TEXTS, "alignment", PATIENT)
    for row, one in zip(rows, models[0].translate(TEXTS, return_alignment=True)):
        target, source = one.alignment.shape
        assert [t for t in row["target_tokens"] if t] == list(one.target_tokens)
        assert [t for t in row["source_tokens"] if t] == list(one.source_tokens)
        np.testing.assert_allclose(np.array(row["alignment"])[:target, :source], one.alignment, atol=1e-4)


def test_bytes_that_are_not_utf8_are_read_as_the_replacement_character(served):
    client = RestClient(served.rest_address, "translator")
    odd, same = client.predict_rows([b"the \xff cat \xe9t", "the \ufffd cat \ufffdt"], timeout=PATIENT)
    assert odd["translation"] == same["translation"]
    assert odd["score"] == pytest.approx(same["score"], rel=1e-5)  # two rows of a batch may round differently
    with GrpcClient(served.grpc_address, "translator") as grpc_client:
        answer = grpc_client.predict({"text": [b"the \xff cat \xe9t"]}, timeout=PATIENT)
    assert answer["translation"][0].decode("utf-8") == odd["translation"]


def test_similarities(models, served):
    questions, answers = ["the cat", "a dog ?", ""], ["the cat sat on the mat", "un chien", "a dog"]
    expected = [models[1].rank(q, [a])[0].score for q, a in zip(questions, answers)]
    pairs = {"question": questions, "answer": answers}
    with GrpcClient(served.grpc_address, "selector") as client:
        np.testing.assert_allclose(client.predict(pairs, timeout=PATIENT)["similarity"], expected, atol=1e-5)
    similarity = RestClient(served.rest_address, "selector").predict(pairs, timeout=PATIENT)
    np.testing.assert_allclose(similarity, expected, atol=1e-5)


def test_ranking(models, folders):
    answers = ["un chien court vite", "the cat sat on the mat", "", "a dog ran"]
    expected = [one.place for one in models[1].rank("the cat", answers)]
    with LocalServer(folders, rest_timeout=PATIENT) as server, GrpcClient(server.grpc_address, "selector") as client:
        inputs = {"question": ["the cat"], "answers": answers}
        assert client.predict(inputs, "rank", PATIENT)["order"].tolist() == expected
        assert RestClient(server.rest_address, "selector").predict(inputs, "rank", PATIENT)["order"] == expected
