"""Configurations written and read again."""

import tomllib
from pathlib import Path

import pytest

from keras_attention.tuning.toml_writer import write_toml

ROOT = Path(__file__).parents[2]


def test_what_is_written_is_what_was_given(tmp_path):
    configuration = {
        "text": {"tokenizer": 'a "quoted" \\ ü\n\x7f', "sizes": [1, 2.5], "joint": True},
        "training": {"rate": 1e-05, "large": 5e20, "whole": 3, "none": [], "float": 2.0},
        "empty": {},
    }
    path = write_toml(tmp_path / "c.toml", configuration, "One line.\n\n  another")
    text = path.read_text(encoding="utf-8")
    assert tomllib.loads(text) == configuration
    assert isinstance(tomllib.loads(text)["training"]["float"], float)
    assert text.startswith("# One line.\n#\n#   another\n\n[text]\n")
    assert [p.name for p in tmp_path.iterdir()] == ["c.toml"]


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/*/configs/*.toml")), ids=lambda p: p.stem)
def test_the_configurations_that_come_along(path, tmp_path):
    configuration = tomllib.loads(path.read_text(encoding="utf-8"))
    assert tomllib.loads(write_toml(tmp_path / "c.toml", configuration).read_text("utf-8")) == configuration


@pytest.mark.parametrize("value", [None, float("nan"), {"a": 1}, object()])
def test_what_toml_has_no_word_for(value, tmp_path):
    with pytest.raises(ValueError, match=r"training\.rate"):
        write_toml(tmp_path / "c.toml", {"training": {"rate": value}})
    assert not list(tmp_path.iterdir())
