"""Lines across parallel axes."""

import math

import pytest

from keras_attention.plotting import plot_parallel_coordinates

ROWS = [
    ({"units": 64, "rate": 1e-4, "cell": "gru", "tied": False}, 20.0),
    ({"units": 128, "rate": 1e-3, "cell": "lstm", "tied": True}, 25.0),
    ({"units": 192, "rate": 1e-2, "tied": True}, 22.0),
]


def lines(figure):
    """The data lines: those with as many points as there are axes."""
    axes = figure.axes[0]
    count = len(axes.get_xticklabels())
    return [line for line in axes.get_lines() if len(line.get_xdata()) == count]


def test_every_row_is_a_line_at_the_heights_of_its_values():
    figure = plot_parallel_coordinates(ROWS, "BLEU", log_axes=["rate"], title="Three trials")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["units", "rate", "cell", "tied", "BLEU"]
    heights = [list(line.get_ydata()) for line in lines(figure)]
    assert heights[0] == pytest.approx([0, 0, 0, 0, 0])
    assert heights[1] == pytest.approx([1, 1, math.nan, 1, 0.4], nan_ok=True)
    assert heights[2] == pytest.approx([0.5, 0.5, 1, 1, 1])  # the best one is drawn last, on top
    assert lines(figure)[2].get_label() == "best: 25"
    assert axes.get_title(loc="left") == "Three trials"
    shown = {text.get_text() for text in axes.texts}
    assert {"64", "128", "192", "0.0001", "0.01", "gru", "lstm", "yes", "no", "20", "25"} <= shown


def test_a_linear_axis_and_one_with_many_values():
    rows = [({"rate": 0.01 * number, "same": 3}, float(number)) for number in range(1, 12)]
    figure = plot_parallel_coordinates(rows, "MRR")
    assert list(lines(figure)[-1].get_ydata()) == pytest.approx([1, 0.5, 1])
    assert list(lines(figure)[5].get_ydata()) == pytest.approx([0.5, 0.5, 0.5])
    assert len([text for text in figure.axes[0].texts if text.get_position()[0] < 0.5]) == 6


def test_it_is_drawn(tmp_path):
    plot_parallel_coordinates(ROWS[:1], "BLEU").savefig(tmp_path / "trials.png")
    assert (tmp_path / "trials.png").stat().st_size > 1000


@pytest.mark.parametrize(
    "rows, log_axes, complaint",
    [
        ([], (), "at least one row"),
        ([({"units": 1}, math.nan)], (), "score=nan"),
        ([({"units": 0}, 1.0)], ["units"], "units=0"),
    ],
)
def test_bad_arguments(rows, log_axes, complaint):
    with pytest.raises(ValueError, match=complaint):
        plot_parallel_coordinates(rows, "BLEU", log_axes=log_axes)
