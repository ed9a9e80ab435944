"""The package as it is imported."""

import subprocess
import sys

import pytest

import keras_attention


def test_importing_the_package_loads_nothing_heavy():
    program = (
        "import sys, keras_attention; "
        "heavy = {'tensorflow', 'keras', 'tensorflow_text', 'matplotlib', 'faiss', 'bm25s'} & set(sys.modules); "
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_everything_named_is_there():
    for name in keras_attention.__all__:
        assert getattr(keras_attention, name) is not None
        assert name in dir(keras_attention)
    with pytest.raises(AttributeError, match="Tranlsator"):
        keras_attention.Tranlsator  # noqa: B018
