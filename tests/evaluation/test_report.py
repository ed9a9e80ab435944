import io

import pytest
from rich.console import Console

from keras_attention.evaluation import translation_table


def result(bleu, chrf, speed, signature="nrefs:1|case:lc|tok:13a"):
    return {"bleu": bleu, "chrf": chrf, "sentences_per_second": speed, "bleu_signature": signature}


def printed(table):
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    console.print(table)
    return console.file.getvalue()


def test_one_line_per_model_and_the_best_in_bold():
    table = translation_table({"RNNSearch": result(40.256, 61, 300), "Seq2Seq [2014]": result(26, 50, 1234.5)}, "Test")
    text = printed(table)
    assert text.index("RNNSearch") < text.index("Seq2Seq [2014]")
    for shown in ("Test", "40.26", "61.00", "1,234.5", "nrefs:1|case:lc|tok:13a"):
        assert shown in text
    assert list(table.columns[1].cells) == ["[bold]40.26[/bold]", "26.00"]
    assert list(table.columns[3].cells) == ["300.0", "[bold]1,234.5[/bold]"]


def test_different_signatures_are_all_shown():
    text = printed(translation_table({"a": result(1, 2, 3, "sig-one"), "b": result(1, 2, 3, "sig-two")}))
    assert "sig-one" in text
    assert "sig-two" in text


def test_no_result():
    with pytest.raises(ValueError, match=r"results=\{\}"):
        translation_table({})
