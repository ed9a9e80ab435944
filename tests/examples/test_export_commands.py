"""The commands that write SavedModels."""

import pytest
from export.cases import CORPUS, make_selector, make_translator
from typer.testing import CliRunner

from examples.answer_selection import export as export_selector
from examples.translation import export as export_translator
from keras_attention.models import APCNN, Seq2Seq

tf = pytest.importorskip("tensorflow")


def invoke(module, *arguments):
    return CliRunner().invoke(module.app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def selector(tmp_path_factory):
    folder = tmp_path_factory.mktemp("selector")
    make_selector(APCNN).index(CORPUS).save(folder)
    return folder


@pytest.mark.parametrize(
    "options, signatures, inputs",
    [
        ([], {"serving_default", "rank", "attention"}, {"question", "answer"}),
        (["--interface", "token_ids"], {"serving_default", "rank"}, {"question_ids", "answer_ids"}),
        (["--with-index", "--top-k", 2], {"serving_default", "similarity", "rank", "attention"}, {"question"}),
        (
            ["--with-index", "--encode-when-asked", "--version", 7],
            {"serving_default", "similarity", "rank", "attention"},
            {"question"},
        ),
    ],
)
def test_a_selector(selector, tmp_path, options, signatures, inputs):
    result = invoke(export_selector, "--selector", selector, "--directory", tmp_path / "served", *options)
    assert result.exit_code == 0, result.output
    assert "checked, reloaded and compared" in result.output.replace("\n", " ")
    served = tf.saved_model.load(str(tmp_path / "served" / ("7" if 7 in options else "1")))
    assert set(served.signatures) == signatures
    default = served.signatures["serving_default"]
    assert set(default.structured_input_signature[1]) == inputs
    if "--top-k" in options:
        assert default.structured_outputs["answers"].shape.as_list() == [None, 2]


@pytest.mark.parametrize(
    "options, complaint",
    [
        (["--with-index", "--interface", "token_ids"], "--with-index goes with"),
        (["--interface", "ids"], "interface='ids'"),
        (["--version", 0], "version=0"),
    ],
)
def test_what_is_wrong_is_named(selector, tmp_path, options, complaint):
    result = invoke(export_selector, "--selector", selector, "--directory", tmp_path / "served", *options)
    assert result.exit_code == 2
    assert complaint in result.output.replace("\n", " ")
    assert not (tmp_path / "served").exists()


def test_a_translator_with_token_ids(tmp_path):
    make_translator(Seq2Seq).save(tmp_path / "saved")
    arguments = ["--translator", tmp_path / "saved", "--directory", tmp_path / "served", "--interface", "token_ids"]
    result = invoke(export_translator, *arguments)
    assert result.exit_code == 0, result.output
    signature = tf.saved_model.load(str(tmp_path / "served" / "1")).signatures["serving_default"]
    assert set(signature.structured_input_signature[1]) == {"source_ids"}
