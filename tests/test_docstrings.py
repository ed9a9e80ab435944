"""The examples in the docstrings run, and print what they say."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

import keras_attention

PACKAGE = Path(keras_attention.__file__).parent
EXAMPLES = [path for path in sorted(PACKAGE.rglob("*.py")) if ">>> " in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_examples_run(path, tmp_path, monkeypatch):
    """In an empty folder, so that an example that writes leaves nothing behind."""
    monkeypatch.chdir(tmp_path)
    name = ".".join(["keras_attention", *path.relative_to(PACKAGE).with_suffix("").parts])
    module = importlib.import_module(re.sub(r"\.__init__$", "", name))
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert result.attempted
    assert not result.failed
