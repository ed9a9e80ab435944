"""The trials of a search as a table."""

from rich.markup import escape
from rich.table import Table

MOST_COLUMNS = 5  # options with a column each; more of them stand together in one, which wraps


def results_table(results, objective, limit=None, title=None):
    """Return the trials as a `rich.table.Table`, best first, then those that failed or still run.

    Args:
        results: List of `TrialResult`.
        objective: Name of the figure.
        limit: Most rows; None for all.
        title: Text above the table.

    Example:
    >>> from pathlib import Path
    >>> from keras_attention.tuning import TrialResult
    >>> trial = TrialResult("0000", "COMPLETED", 0.5, 3, 61.0, {"model.window": 2}, Path("."))
    >>> results_table([trial], "mrr").row_count
    1
    """
    names = sorted({name for one in results for name in one.values})
    table = Table(title=title and escape(title))
    figure = {"mrr": "MRR", "bleu": "BLEU"}.get(objective, objective)
    for heading in ("Trial", figure, "Epochs", "Minutes"):
        table.add_column(heading, justify="right", no_wrap=True)
    if len(names) > MOST_COLUMNS:
        table.add_column("Options")
    else:
        for name in names:
            table.add_column(escape(_heading(name)), justify="right")
    ranked = sorted(results, key=lambda one: (one.score is None, -(one.score or 0.0), int(one.trial)))
    digits = 2 if objective == "bleu" else 3
    for place, one in enumerate(ranked[:limit]):
        score = one.status.lower() if one.score is None else f"{one.score:.{digits}f}"
        cells = [str(int(one.trial)), score, str(one.epochs), f"{one.seconds / 60:.1f}"]
        if len(names) > MOST_COLUMNS:
            cells.append(escape(", ".join(f"{_heading(n)} {_shown(one.values[n])}" for n in names if n in one.values)))
        else:
            cells += [escape(_shown(one.values.get(name))) for name in names]
        style = "bold" if place == 0 and one.score is not None else "dim" if one.score is None else None
        table.add_row(*cells, style=style)
    return table


def _heading(name):
    return name.split(".", 1)[1].replace("_", " ")


def _shown(value):
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
