import numpy as np
import pytest

from keras_attention.plotting import plot_bleu_by_length


def test_one_line_per_model_with_its_points():
    curves = {"RNNSearch": ([5, 15, 30], [30.0, 28.0, 27.0]), "Seq2Seq $x$": ([5, 15], [29.0, 10.0])}
    axes = plot_bleu_by_length(curves, title="Tatoeba").axes[0]
    assert [line.get_label() for line in axes.get_lines()] == list(curves)
    for line, (lengths, bleu) in zip(axes.get_lines(), curves.values()):
        np.testing.assert_array_equal(line.get_xdata(), lengths)
        np.testing.assert_array_equal(line.get_ydata(), bleu)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(curves)
    assert axes.get_ylabel() == "BLEU"
    assert axes.get_title(loc="left") == "Tatoeba"
    assert axes.get_ylim()[0] == 0
    assert axes.get_ylim()[1] > 30


def test_many_models_are_told_apart():
    axes = plot_bleu_by_length({f"model {i}": ([1, 2], [i, i]) for i in range(9)}).axes[0]
    looks = {(line.get_color(), line.get_linestyle()) for line in axes.get_lines()}
    assert len(looks) == 9


def test_a_name_without_a_glyph_warns():
    with pytest.warns(UserWarning, match=r"U\+E0F1"):
        plot_bleu_by_length({"\ue0f1": ([1], [2])})


@pytest.mark.parametrize(
    ("curves", "message"),
    [
        ({}, r"curves=\{\}"),
        ([([1], [2])], "curves="),
        ({"m": ([], [])}, "'m'"),
        ({"m": ([1, 2], [3])}, r"\(2,\) and \(1,\)"),
        ({"m": ([1], [float("nan")])}, "finite"),
        ({"m": [1]}, "pair"),
    ],
)
def test_errors(curves, message):
    with pytest.raises(ValueError, match=message):
        plot_bleu_by_length(curves)
