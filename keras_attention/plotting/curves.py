"""Curves: BLEU by sentence length."""

import numpy as np

from keras_attention.plotting.fonts import families_for
from keras_attention.plotting.line_style import COLOURS, MARKERS


def plot_bleu_by_length(curves, title=None, length_label="Sentence length (tokens)"):
    """Draw BLEU against sentence length, one line per model, as figure 2 of Bahdanau et al. (2015).

    Args:
        curves: Dict from the model's name to a pair `(lengths, bleu)`: two sequences of the same length, rising
            sentence lengths, and BLEU from 0 to 100 of the sentences around each.
        title: Text above the plot, or None.
        length_label: What the lengths count.

    Returns:
        A `matplotlib.figure.Figure`, made without pyplot's global state.

    Raises:
        ValueError: If there is no curve, a curve is empty, its two sides differ in length, or a number is not
            finite.

    Example:
    >>> from keras_attention.plotting import plot_bleu_by_length
    >>> figure = plot_bleu_by_length({"RNNSearch": ([5, 15, 25], [34, 31, 28]), "Seq2Seq": ([5, 15, 25], [30, 20, 11])})
    >>> [line.get_label() for line in figure.axes[0].get_lines()]
    ['RNNSearch', 'Seq2Seq']
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    if not isinstance(curves, dict) or not curves:
        raise ValueError(f"Expected a dict from names to pairs (lengths, bleu). Received: curves={curves!r}")
    checked = {str(name): _checked(name, pair) for name, pair in curves.items()}
    families = families_for([*checked, title or "", length_label])

    figure = Figure(figsize=(6.4, 4.0), dpi=150, facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    for number, (name, (lengths, bleu)) in enumerate(checked.items()):
        colour = COLOURS[number % len(COLOURS)]
        marker = MARKERS[number % len(MARKERS)]
        dashes = ("-", "--", ":")[number // len(COLOURS) % 3]
        line = axes.plot(lengths, bleu, color=colour, marker=marker, linestyle=dashes, label=name, linewidth=1.8)[0]
        line.set(markersize=5.5, markeredgecolor="white", markeredgewidth=0.8, clip_on=False, zorder=3)
    axes.set_xlim(left=0)
    axes.set_ylim(0, max(1.0, 1.08 * max(bleu.max() for _, bleu in checked.values())))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    text = {"family": families, "parse_math": False}
    axes.set_xlabel(length_label, **text)
    axes.set_ylabel("BLEU")
    if title:
        axes.set_title(title, loc="left", **text)
    axes.grid(axis="y", color="0.9", linewidth=0.8)
    axes.tick_params(length=3, color="0.6")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("0.6")
    if len(checked) > 1 or title is None:
        legend = axes.legend(frameon=False, prop={"family": families})
        for label in legend.get_texts():
            label.set_parse_math(False)
    return figure


def _checked(name, pair):
    try:
        lengths, bleu = (np.asarray(values, dtype="float64") for values in pair)
    except (TypeError, ValueError) as error:
        raise ValueError(f"Expected a pair (lengths, bleu) of numbers for {name!r}. Received: {pair!r}") from error
    if lengths.ndim != 1 or lengths.shape != bleu.shape or not lengths.size:
        raise ValueError(
            f"Expected as many lengths as BLEU scores, at least one, for {name!r}. "
            f"Received: shapes {lengths.shape} and {bleu.shape}"
        )
    if not (np.isfinite(lengths).all() and np.isfinite(bleu).all()):
        raise ValueError(f"Expected finite numbers for {name!r}. Received: {pair!r}")
    return lengths, bleu
