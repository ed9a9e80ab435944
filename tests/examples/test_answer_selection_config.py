"""Configuration files and corpora of the answer-selection examples."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from examples.answer_selection.config import load_config
from examples.answer_selection.corpora import open_corpora, read_data
from keras_attention.data import AnswerSelectionData, encode_answer_selection
from keras_attention.models import APCNN

CONFIGS = sorted((Path(__file__).parents[2] / "examples" / "answer_selection" / "configs").glob("*.toml"))
GOOD = '[model]\nname = "qa_cnn"\n'


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_the_files_that_come_along_are_read(path):
    config = load_config(path)
    assert config.training.epochs > 0
    assert config.batches["negatives"] in ("in_batch", "sampled")
    assert not set(config.batches) & set(config.lengths)


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("[model]\n", "name=None"),
        ('[model]\nname = "transformer"\n', "name='transformer'"),
        (GOOD + "unit = 3\n", r"unknown option of \[model\]: 'unit'"),
        (GOOD + "score_scale = 3\n", r"unknown option of \[model\]: 'score_scale'"),
        (GOOD + "vocabulary_size = 3\n", r"unknown option of \[model\]: 'vocabulary_size'"),
        (GOOD + "[vector]\n", "unknown section: 'vector'"),
        (GOOD + "[vectors]\npath = 3\n", r"unknown option of \[vectors\]: 'path'"),
        (GOOD + "[training]\nepoch = 3\n", r"unknown option of \[training\]: 'epoch'"),
        (GOOD + "[training]\nepochs = 0\n", "epochs=0"),
        (GOOD + '[text]\ntokenizer = "bpe"\n', "tokenizer='bpe'"),
        (GOOD + "[vectors]\nfurther_words = 9\n", "goes with the tokenizer 'words'"),
        ("[model\n", "not valid TOML"),
    ],
)
def test_bad_configurations(text, complaint, tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=complaint):
        load_config(path)


def test_missing_configuration(tmp_path):
    with pytest.raises(ValueError, match="which is not there"):
        load_config(tmp_path / "none.toml")


def test_the_model_begins_with_the_vectors_that_the_file_names(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(
        '[text]\ntokenizer = "words"\nlowercase = true\n[vectors]\nfile = "embedded"\n'
        '[model]\nname = "ap_cnn"\nembedding_width = 50\nfilters = 4\n'
    )
    config = load_config(path)
    data = AnswerSelectionData(["What is anemia ?"], ["Too little iron", "zzyzx"], [[0]], [[0, 1]])
    tokenizer = config.train_tokenizer(data)
    encoded = encode_answer_selection(data, tokenizer, **config.lengths)
    model = config.make_model(tokenizer, encoded.answer_ids)
    assert isinstance(model, APCNN)
    vectors = np.array(model.sequence_encoder.embedding.embeddings)
    assert vectors.shape == (tokenizer.vocabulary_size, 50)
    from keras_attention.data import med_quad_directory

    words = (med_quad_directory() / "vectors.words.txt").read_text("utf-8").splitlines()
    given = np.load(med_quad_directory() / "vectors.npy")[words.index("iron")]
    np.testing.assert_allclose(vectors[tokenizer.piece_to_id("iron")], given, atol=1e-6)
    scaled = dataclasses.replace(
        config, vectors={**config.vectors, "frequency_scaled": True}, model={**config.model, "embedding_width": 60}
    )
    vectors = np.array(scaled.make_model(tokenizer, encoded.answer_ids).sequence_encoder.embedding.embeddings)
    lengths = np.linalg.norm(vectors, axis=1)
    # In one answer each, but only one has a published vector beside its random direction; "what" is in none.
    assert lengths[tokenizer.piece_to_id("what")] > lengths[tokenizer.piece_to_id("iron")] > 0 == lengths[0]


def write_pairs(path, count=40):
    path.write_text("".join(f"question {i // 2}\tanswer {i}\n" for i in range(count)))
    return path


def test_your_questions_are_held_out(tmp_path):
    path = write_pairs(tmp_path / "pairs.tsv")
    corpora, again = open_corpora(train=path), open_corpora(train=path)
    assert corpora.validation.questions == again.validation.questions
    assert (len(corpora.train.questions), len(corpora.validation.questions)) == (18, 2)
    assert not set(corpora.train.questions) & set(corpora.validation.questions)
    assert [len(pool) for pool in corpora.validation.pools] == [40, 40]
    assert corpora.reported == {}
    named = open_corpora(train=path, validation=path, test=path)
    parts = (named.train, named.validation, named.reported["The test part"])
    assert [len(part.questions) for part in parts] == [20, 20, 20]


def test_medquad():
    corpora = open_corpora(medquad=True)
    parts = (corpora.train, corpora.validation, corpora.reported["MedQuAD test"])
    assert [len(part.questions) for part in parts] == [4375, 582, 637]


@pytest.mark.parametrize(
    "named, complaint",
    [
        ({}, "Received: none"),
        ({"train": "a", "medquad": True}, "--train and --medquad"),
        ({"medquad": True, "test": "a"}, "go with --train"),
        ({"train": "a", "form": "xml"}, "format='xml'"),
        ({"train": "nowhere.tsv"}, "nowhere.tsv"),
    ],
)
def test_bad_corpora(named, complaint):
    with pytest.raises(ValueError, match=complaint):
        open_corpora(**named)


def test_bad_format_of_data():
    with pytest.raises(ValueError, match="format='xml'"):
        read_data("a", "xml")
