"""The examples in the docstrings run."""

import doctest
import re
import textwrap

import pytest

from keras_attention import decoding


@pytest.mark.parametrize("name", [n for n in decoding.__all__ if n != "replace_unknown_words"])
def test_examples_print_what_they_say(name, capsys):
    code = re.search(r"```python\n(.*?)```", getattr(decoding, name).__doc__, re.S).group(1)
    exec(textwrap.dedent(code), {})
    promised = re.findall(r"print\(.*#\s*([\d. ]+)", code)
    printed = [re.findall(r"\d+\.?\d*", line) for line in capsys.readouterr().out.splitlines()]
    for values, numbers in zip(promised, printed):
        assert [float(n) for n in numbers[: len(values.split())]] == pytest.approx([float(v) for v in values.split()])
    assert len(printed) >= len(promised) > 0 or name == "sample"


def test_replacement_example():
    module = __import__("keras_attention.decoding.unknown_replacement", fromlist=["x"])
    assert doctest.testmod(module).failed == 0
