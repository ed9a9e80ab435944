"""Many settings and one figure each, as lines across parallel axes."""

import math

from keras_attention.plotting.fonts import families_for

TICKS = 6  # of an axis of numbers


def plot_parallel_coordinates(rows, score_label, log_axes=(), title=None):
    """Draw one line per row across one axis per setting, coloured by its score, the best one on top.

    Args:
        rows: List of `(values, score)`: a dict from a setting's name to a number, a string or a boolean, and a number,
            the larger the better. A row that lacks a setting has a gap in its line there.
        score_label: Name of the score, the last axis.
        log_axes: Names of settings whose numbers stand on a logarithmic axis.
        title: Text above the plot, or None.

    Returns:
        A `matplotlib.figure.Figure`, made without pyplot's global state.

    Raises:
        ValueError: If there is no row, a score is not finite, or a logarithmic axis has a number that is not positive.

    Example:
    >>> from keras_attention.plotting import plot_parallel_coordinates
    >>> rows = [({"units": 64, "cell": "gru"}, 20.5), ({"units": 256, "cell": "lstm"}, 24.0)]
    >>> figure = plot_parallel_coordinates(rows, "BLEU")
    >>> [text.get_text() for text in figure.axes[0].get_xticklabels()]
    ['units', 'cell', 'BLEU']
    """
    from matplotlib import colormaps
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    rows = list(rows)
    if not rows:
        raise ValueError("Expected at least one row (values, score). Received: rows=[]")
    for _, score in rows:
        if not math.isfinite(score):
            raise ValueError(f"Expected finite scores. Received: score={score}")
    names = list(dict.fromkeys(name for values, _ in rows for name in values))
    axes_of = [_Axis([values[name] for values, _ in rows if name in values], name in log_axes, name) for name in names]
    axes_of.append(_Axis([score for _, score in rows], False, score_label))
    families = families_for([*names, score_label, title or "", *(text for axis in axes_of for _, text in axis.ticks)])
    text = {"family": families, "parse_math": False}

    figure = Figure(
        figsize=(max(5.0, 1.35 * len(axes_of) + 1.0), 4.4), dpi=150, facecolor="white", layout="constrained"
    )
    axes = figure.add_subplot()
    scores = [score for _, score in rows]
    norm, colours = Normalize(min(scores), max(scores)), colormaps["viridis_r"]
    best = max(range(len(rows)), key=scores.__getitem__)
    for number in sorted(range(len(rows)), key=scores.__getitem__):
        values, score = rows[number]
        heights = [axis.height(values[name]) if name in values else math.nan for name, axis in zip(names, axes_of)]
        heights.append(axes_of[-1].height(score))
        first = number == best
        axes.plot(
            range(len(heights)),
            heights,
            color="#D55E00" if first else colours(norm(score)),
            linewidth=2.6 if first else 1.2,
            alpha=1.0 if first else 0.75,
            marker="o" if first else None,
            markersize=4.5,
            zorder=3 if first else 2,
            label=f"best: {score:.4g}" if first else None,
        )
    for place, axis in enumerate(axes_of):
        axes.axvline(place, color="0.55", linewidth=0.9, zorder=1)
        for height, label in axis.ticks:
            axes.text(
                place + 0.04,
                height,
                label,
                fontsize=7.5,
                color="0.25",
                va="center",
                zorder=4,
                bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.6},
                **text,
            )
    axes.set_xticks(range(len(axes_of)), [*names, score_label], rotation=20, ha="right", rotation_mode="anchor", **text)
    axes.set_yticks([])
    axes.set_xlim(-0.15, len(axes_of) - 0.55)
    axes.set_ylim(-0.06, 1.06)
    axes.tick_params(axis="x", length=0)
    axes.spines[:].set_visible(False)
    if title:
        axes.set_title(title, loc="left", **text)
    axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1.0, 1.0), fontsize=8)
    return figure


class _Axis:
    """Where the values of one setting stand, from 0 to 1, and what is written beside."""

    def __init__(self, values, log, name):
        self.numeric = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
        distinct = sorted(set(values), key=None if self.numeric else lambda value: (str(type(value)), value))
        self.log = log and self.numeric
        if self.log and distinct[0] <= 0:
            raise ValueError(f"A logarithmic axis wants positive numbers. Received: {name}={distinct[0]}")
        if self.numeric:
            self.low, self.high = self._scaled(distinct[0]), self._scaled(distinct[-1])
            shown = distinct if len(distinct) <= TICKS else [distinct[0], distinct[-1]]
            if len(distinct) > TICKS:
                shown = [self._unscaled(self.low + (self.high - self.low) * i / (TICKS - 1)) for i in range(TICKS)]
            self.ticks = [(self.height(value), f"{value:.3g}") for value in shown]
        else:
            self.places = {value: place for place, value in enumerate(distinct)}
            self.low, self.high = 0, len(distinct) - 1
            labels = {True: "yes", False: "no"}
            self.ticks = [(self.height(v), labels[v] if isinstance(v, bool) else str(v)) for v in distinct]

    def height(self, value):
        scaled = self._scaled(value) if self.numeric else self.places[value]
        return 0.5 if self.high == self.low else (scaled - self.low) / (self.high - self.low)

    def _scaled(self, value):
        return math.log(value) if self.log else float(value)

    def _unscaled(self, value):
        return math.exp(value) if self.log else value
