import numpy
import pytest

from keras_attention.plotting.answer_length import plot_accuracy_by_answer_length

CURVES = {
    "AP-CNN": {
        "length": numpy.array([20, 60, 110]),
        "value": numpy.array([0.7, 0.65, 0.6]),
        "questions": [400, 300, 80],
    },
    "QA-CNN $x$": {"length": [20, 60], "value": [0.6, 0.4]},
}


def test_one_line_per_model_with_its_points():
    axes = plot_accuracy_by_answer_length(CURVES, title="Test").axes[0]
    assert [line.get_label() for line in axes.get_lines()] == list(CURVES)
    for line, curve in zip(axes.get_lines(), CURVES.values()):
        numpy.testing.assert_array_equal(line.get_xdata(), curve["length"])
        numpy.testing.assert_array_equal(line.get_ydata(), curve["value"])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(CURVES)
    assert [text.get_text() for text in axes.texts] == ["400", "300", "80", "questions:"]
    assert axes.get_title(loc="left") == "Test"
    assert axes.get_ylim()[0] == 0


def test_many_models_are_told_apart():
    curves = {f"model {i}": {"length": [1, 2], "value": [0.1, 0.1 * i]} for i in range(9)}
    lines = plot_accuracy_by_answer_length(curves).axes[0].get_lines()
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 9


def test_it_can_be_written(tmp_path):
    plot_accuracy_by_answer_length(CURVES).savefig(tmp_path / "lengths.png")
    assert (tmp_path / "lengths.png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("curves", "message"),
    [
        ({}, r"curves=\{\}"),
        ({"m": {"length": [1]}}, "'m'"),
        ({"m": {"length": [1, 2], "value": [0.5]}}, r"\(2,\) and \(1,\)"),
        ({"m": {"length": [1], "value": [50.0]}}, "0 to 1"),
        ({"m": {"length": [], "value": []}}, "at least one"),
    ],
)
def test_errors(curves, message):
    with pytest.raises(ValueError, match=message):
        plot_accuracy_by_answer_length(curves)
