"""What the README says is so: its snippet runs, its files and commands are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_layer_snippet_runs():
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names = {}
    exec(blocks[0], names)
    assert names["model"].output[0].shape[-1] == 96


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`((?:models|tests|examples)/[\w./-]+\.\w+)`", README))))
def test_files_named_are_there(name):
    assert (ROOT / name).exists() or (ROOT / "keras_attention" / name).exists()


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target


def test_make_targets_named_are_there():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"make ([a-z][a-z-]*)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_continuous_integration_runs_the_readmes_test_command():
    assert "make test" in README
    assert re.search(r"make .*\btest\b", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
