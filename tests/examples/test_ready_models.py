"""The commands behind `make models`, on a corner of the data, and the model card."""

import re

import pytest
from typer.testing import CliRunner

from examples.answer_selection import ready_model as ready_selector
from examples.model_card import place_model, size_of
from examples.translation import ready_model as ready_translator
from examples.translation.config import load_config as load_translation_config
from keras_attention.models import RNNSearch

tf = pytest.importorskip("tensorflow")

TRANSLATION_CONFIG = """
[text]
vocabulary_size = 200
[data]
batch_size = 32
bucket_count = 2
[model]
name = "rnn_search"
embedding_dim = 8
encoder_units = 8
decoder_units = 8
maxout_units = 8
[training]
epochs = 1
seed = 3
"""
ANSWER_SELECTION_CONFIG = """
[text]
tokenizer = "words"
vocabulary_size = 500
[data]
question_length = 8
answer_length = 12
batch_size = 16
[model]
name = "{name}"
embedding_width = 8
filters = 8
[training]
epochs = 1
seed = 3
"""


def run(module, tmp_path, config, *more):
    (tmp_path / "config.toml").write_text(config)
    arguments = {"directory": tmp_path / "models" / "a_model", "workdir": tmp_path / "run", "limit": 60, "verbose": 0}
    given = [str(x) for name, value in arguments.items() for x in (f"--{name}", value)]
    return CliRunner().invoke(module.app, ["--config", str(tmp_path / "config.toml"), *given, *more])


def use(card):
    """Run the card's own example."""
    names = {}
    lines = re.search(r"```python\n(.*?)```", card, re.DOTALL)[1].rstrip().split("\n")
    exec("\n".join([*lines[:-1], f"answer = {lines[-1]}"]), names)
    return names["answer"]


@pytest.mark.extended
def test_the_translator(tmp_path):
    result = run(ready_translator, tmp_path, TRANSLATION_CONFIG)
    assert result.exit_code == 0, result.output
    folder = tmp_path / "models" / "a_model"
    assert sorted(path.name for path in folder.iterdir()) == ["1", "README.md"]
    card = (folder / "README.md").read_text("utf-8")
    for expected in (
        "| `serving_default` | input | `text` | string | [any] |",
        "| `serving_default` | output | `score` | float32 | [any] |",
        "| `n_best` | output | `translations` | string | ",
        "| `alignment` | output | `alignment` | float32 | ",
        "BLEU on 60 test pairs, greedy",
        "| seed | 3 |",
        "| training pairs | 60 |",
        "python -m examples.translation.ready_model --config config.toml",
        "CC BY 2.0",
        "## Limits",
        f"tensorflow {tf.__version__}",
        f"Version 1: {size_of(folder / '1') / 1e6:.1f} MB",
    ):
        assert expected in card, expected
    assert str(tmp_path.parent) not in card.replace(str(folder), "")
    assert use(card).shape == (1,)


@pytest.mark.parametrize("name", ["ap_cnn", pytest.param("qa_cnn", marks=pytest.mark.extended)])
def test_the_selector(name, tmp_path):
    result = run(ready_selector, tmp_path, ANSWER_SELECTION_CONFIG.format(name=name))
    assert result.exit_code == 0, result.output
    folder = tmp_path / "models" / "a_model"
    card = (folder / "README.md").read_text("utf-8")
    for expected in (
        "| `serving_default` | input | `question` | string | [any] |",
        "| `serving_default` | output | `answers` | string | [any, 5] |",
        "| `serving_default` | output | `scores` | float32 | [any, 5] |",
        "| `similarity` | output | `similarity` | float32 | [any] |",
        "MRR of 60 test questions",
        "right answer first, searching all",
        "Creative Commons Attribution 4.0",
        "no medical advice",
    ):
        assert expected in card, expected
    assert ("Candidates come from BM25" in card) == (name == "ap_cnn")
    assert use(card).shape == (1, 5)


def test_a_version_is_replaced_and_a_model_too_large_is_not_placed(tmp_path):
    def export(content):
        folder = tmp_path / "export" / "1"
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").write_bytes(content)
        return folder

    models = tmp_path / "models" / "a_model"
    assert place_model(export(b"first"), models) == models / "1"
    place_model(export(b"second"), models)
    assert (models / "1" / "saved_model.pb").read_bytes() == b"second"
    with pytest.raises(ValueError, match=r"at most 1e-06 MB\. Received: .* of 0\.0 MB"):
        place_model(export(b"third"), models, megabytes_at_most=1e-6)
    assert [path.name for path in models.iterdir()] == ["1"]
    assert (models / "1" / "saved_model.pb").read_bytes() == b"second"


def test_the_translator_of_make_models_is_small_enough():
    """In float32; the graph and the tokenizer take less than two megabytes beside the weights."""
    settings = load_translation_config(ready_translator.CONFIG)
    options = {name: value for name, value in settings.model.items() if name != "name"}
    model = RNNSearch(settings.text["vocabulary_size"], settings.text["vocabulary_size"], **options)
    assert model.count_params() * 4 / 1e6 < 23
