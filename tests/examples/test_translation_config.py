"""Configuration files and corpora of the translation examples."""

from pathlib import Path

import pytest

from examples.translation.config import load_config
from examples.translation.corpora import open_corpora

CONFIGS = sorted((Path(__file__).parents[2] / "examples" / "translation" / "configs").glob("*.toml"))
GOOD = '[model]\nname = "seq2seq"\n'


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_the_files_that_come_along_are_read(path):
    config = load_config(path)
    assert config.training.epochs > 0
    model = dict(config.model)
    assert model.pop("name")


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("[model]\n", "name=None"),
        ('[model]\nname = "transformer"\n', "name='transformer'"),
        (GOOD + "unit = 3\n", r"unknown option of \[model\]: 'unit'"),
        (GOOD + "attention_units = 3\n", r"unknown option of \[model\]: 'attention_units'"),
        (GOOD + "[trianing]\n", "unknown section: 'trianing'"),
        (GOOD + "[training]\nepoch = 3\n", r"unknown option of \[training\]: 'epoch'"),
        (GOOD + "[training]\nepochs = 0\n", "epochs=0"),
        (GOOD + '[text]\ntokenizer = "bpe"\n', "tokenizer='bpe'"),
        (GOOD + "[vectors]\nlexical_pairs = 3\nword_by_word = true\n", "the model rnn_search.*name='seq2seq'"),
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


def test_your_pairs_are_held_out_by_source_sentence(tmp_path):
    lines = [f"sentence {i // 2}\tphrase {i}" for i in range(400)]
    (tmp_path / "pairs.tsv").write_text("\n".join(lines))
    corpora = open_corpora(tsv=tmp_path / "pairs.tsv")
    again = open_corpora(tsv=tmp_path / "pairs.tsv")
    assert corpora == again
    assert len(corpora.train.sources) + len(corpora.validation.sources) == 400
    assert 0 < len(corpora.validation.sources) < 60
    assert not set(corpora.train.sources) & set(corpora.validation.sources)
    assert corpora.test is None


@pytest.mark.parametrize(
    "named, complaint",
    [
        ({}, "none"),
        ({"tsv": "a", "tatoeba": True}, "--tsv and --tatoeba"),
        ({"source": "a"}, "go together"),
        ({"tatoeba": True, "validation_source": "a"}, "go together"),
        ({"tatoeba": True, "languages": "english"}, "languages='english'"),
    ],
)
def test_bad_corpora(named, complaint):
    with pytest.raises(ValueError, match=complaint):
        open_corpora(**named)


def test_first_word_vectors_from_the_pairs(tmp_path):
    (tmp_path / "words.toml").write_text(
        '[text]\ntokenizer = "words"\nvocabulary_size = 7\njoint = false\n'
        '[model]\nname = "rnn_search"\nembedding_dim = 4\nencoder_units = 2\ndecoder_units = 2\n'
        "[vectors]\nlexical_pairs = 3\n"
    )
    config = load_config(tmp_path / "words.toml")
    sources, targets = ["the dog", "the cat", "dog"], ["le chien", "le chat", "chien"]
    tokenizers = config.train_tokenizers(sources, targets)
    model = config.make_model(*tokenizers)
    config.set_first_vectors(model, sources, targets, *tokenizers)
    dog, cat = (model.source_embedding.embeddings.numpy()[i] for i in tokenizers[0].tokenize("dog cat").numpy())
    chien, chat = (model.target_embedding.embeddings.numpy()[i] for i in tokenizers[1].tokenize("chien chat").numpy())
    assert dog @ chien > dog @ chat
    assert cat @ chat > cat @ chien
