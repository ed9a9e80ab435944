"""The curve of accuracy by answer length, for several models."""

import numpy

from keras_attention.plotting.fonts import families_for
from keras_attention.plotting.line_style import COLOURS, MARKERS


def plot_accuracy_by_answer_length(curves, title=None, length_label="Length of the right answer (tokens)"):
    """Draw accuracy at 1 against answer length, one line per model, as dos Santos et al. (2016) do.

    Args:
        curves: dict from the model's name to a dict with ``length``, ``value`` and, if at hand, ``questions``: arrays
            of one entry per band of length, as ``evaluation.answer_selection.accuracy_by_answer_length`` gives. With
            ``questions`` in the first curve, its numbers stand above the axis.
        title: text above the plot, or ``None``.
        length_label: what the lengths count.

    Returns:
        A ``matplotlib.figure.Figure``, made without pyplot's global state: ``figure.savefig("lengths.png")``.

    Raises:
        ValueError: no curve, an empty one, sides of different length, or values outside 0 to 1.

    Example:
    >>> from keras_attention.plotting.answer_length import plot_accuracy_by_answer_length
    >>> ap_cnn, qa_cnn = {"length": [20, 60], "value": [0.7, 0.6]}, {"length": [20, 60], "value": [0.6, 0.4]}
    >>> figure = plot_accuracy_by_answer_length({"AP-CNN": ap_cnn, "QA-CNN": qa_cnn})
    >>> [line.get_label() for line in figure.axes[0].get_lines()]
    ['AP-CNN', 'QA-CNN']
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    if not isinstance(curves, dict) or not curves:
        raise ValueError(f"curves must be a dict with at least one model. Received: curves={curves!r}")
    checked = {str(name): _checked(name, curve) for name, curve in curves.items()}
    families = families_for([*checked, title or "", length_label])
    text = {"family": families, "parse_math": False}

    figure = Figure(figsize=(6.4, 4.0), dpi=150, facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    for number, (name, (lengths, values)) in enumerate(checked.items()):
        axes.plot(
            lengths,
            values,
            label=name,
            color=COLOURS[number % len(COLOURS)],
            marker=MARKERS[number % len(MARKERS)],
            linestyle=("-", "--", ":")[number // len(COLOURS) % 3],
            linewidth=1.8,
            markersize=5.5,
            markeredgecolor="white",
            markeredgewidth=0.8,
            clip_on=False,
            zorder=3,
        )
    axes.set_xlim(left=0)
    axes.set_ylim(0, min(1.0, 1.15 * max(0.05, *(values.max() for _, values in checked.values()))))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.set_xlabel(length_label, **text)
    axes.set_ylabel("Accuracy at 1")
    if title:
        axes.set_title(title, loc="left", **text)
    name, first = next(iter(curves.items()))
    if "questions" in first:
        for length, count in zip(checked[str(name)][0], first["questions"]):
            place = {"xytext": (0, 3), "textcoords": "offset points", "ha": "center", "fontsize": 6.5, "color": "0.45"}
            axes.annotate(f"{int(count)}", (length, 0), **place)
        axes.annotate("questions:", (0, 0), xytext=(2, 11), textcoords="offset points", fontsize=6.5, color="0.45")
    axes.grid(axis="y", color="0.9", linewidth=0.8)
    axes.tick_params(length=3, color="0.6")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("0.6")
    if len(checked) > 1 or title is None:
        beside = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}  # curves leave no corner free
        for label in axes.legend(frameon=False, prop={"family": families}, **beside).get_texts():
            label.set_parse_math(False)
    return figure


def _checked(name, curve):
    try:
        lengths, values = (numpy.asarray(curve[key], dtype="float64") for key in ("length", "value"))
    except (TypeError, ValueError, KeyError, IndexError) as error:
        raise ValueError(f"the curve of {name!r} must hold numbers length and value. Received: {curve!r}") from error
    if lengths.ndim != 1 or lengths.shape != values.shape or not lengths.size:
        raise ValueError(
            f"the curve of {name!r} must have as many lengths as values, at least one. "
            f"Received: shapes {lengths.shape} and {values.shape}"
        )
    if not (numpy.isfinite(lengths).all() and (values >= 0).all() and (values <= 1).all()):
        raise ValueError(f"the curve of {name!r} must hold finite lengths and values from 0 to 1. Received: {curve!r}")
    return lengths, values
