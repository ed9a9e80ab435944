"""The trials of a search as a table."""

from rich.markup import escape
from rich.table import Table


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
    table.add_column("Trial", justify="right")
    table.add_column("MRR" if objective == "mrr" else "BLEU" if objective == "bleu" else objective, justify="right")
    table.add_column("Epochs", justify="right")
    table.add_column("Minutes", justify="right")
    for name in names:
        table.add_column(escape(name.split(".", 1)[1].replace("_", " ")), justify="right")
    ranked = sorted(results, key=lambda one: (one.score is None, -(one.score or 0.0), int(one.trial)))
    digits = 2 if objective == "bleu" else 3
    for place, one in enumerate(ranked[:limit]):
        score = one.status.lower() if one.score is None else f"{one.score:.{digits}f}"
        cells = [str(int(one.trial)), score, str(one.epochs), f"{one.seconds / 60:.1f}"]
        cells += [escape(_shown(one.values.get(name))) for name in names]
        style = "bold" if place == 0 and one.score is not None else "dim" if one.score is None else None
        table.add_row(*cells, style=style)
    return table


def _shown(value):
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
