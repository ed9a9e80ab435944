"""Rankings as figures: per question, on the whole, beside a baseline, and by answer length."""

import numpy

from keras_attention.metrics.paired_bootstrap import paired_bootstrap
from keras_attention.metrics.ranking import ranking_values

FIGURES = {"accuracy_at_1": "accuracy@1", "mrr": "MRR", "map": "MAP", "ndcg_at_10": "NDCG@10"}


def evaluate_answer_selection(scores, labels):
    """Return the figures of one system on one set of questions.

    Args:
        scores: ``(questions, candidates)``, higher is better; BM25's or a model's.
        labels: ``(questions, candidates)``: above 0 right, 0 wrong, -1 padding.

    Returns:
        A dict: ``accuracy_at_1``, ``mrr``, ``map``, ``ndcg_at_10``, means from 0 to 1 over the questions with a right
        candidate; ``questions``, their number; ``values``, a dict of the same names with ``(questions,)`` float64 per
        question, NaN where no candidate is right. Ties have their expected value (``metrics/ranking.py``).

    Raises:
        ValueError: shapes differ, a real score is NaN, or no question has a right candidate.

    Example:
    >>> from keras_attention.evaluation.answer_selection import evaluate_answer_selection
    >>> result = evaluate_answer_selection([[0.9, 0.1], [0.2, 0.7]], [[1, 0], [1, 0]])
    >>> result["accuracy_at_1"], result["mrr"], result["questions"]
    (0.5, 0.75, 2)
    """
    values = ranking_values(scores, labels, ndcg_k=10)
    answerable = ~numpy.isnan(values["mrr"])
    if not answerable.any():
        raise ValueError(f"at least one question must have a right candidate. Received: {len(answerable)} without any")
    means = {name: float(values[name][answerable].mean()) for name in FIGURES}
    return {**means, "questions": int(answerable.sum()), "values": values}


def compare_with_baseline(results, baseline="BM25", *, figure="mrr", resamples=10_000, confidence=0.95, seed=0):
    """Compare every system with one of them by the paired bootstrap.

    Args:
        results: dict from a system's name to what ``evaluate_answer_selection`` returned, all for the same questions.
        baseline: name of the system to compare with.
        figure: ``"accuracy_at_1"``, ``"mrr"``, ``"map"`` or ``"ndcg_at_10"``.
        resamples: rounds of the bootstrap.
        confidence: share of the interval.
        seed: seed of the bootstrap.

    Returns:
        A dict from the name of each other system to a ``PairedBootstrap``, difference being system minus baseline.

    Raises:
        ValueError: an unknown name, or systems of different questions.
    """
    check_figure(figure)
    if baseline not in results:
        raise ValueError(f"baseline must be one of {list(results)}. Received: baseline={baseline!r}")
    reference = results[baseline]["values"][figure]
    return {
        name: paired_bootstrap(
            result["values"][figure], reference, resamples=resamples, confidence=confidence, seed=seed
        )
        for name, result in results.items()
        if name != baseline
    }


def answer_selection_table(
    results, baseline="BM25", *, figure="mrr", resamples=10_000, confidence=0.95, seed=0, title=None
):
    """Lay out systems side by side, each beside the baseline.

    Args:
        results: dict from a system's name to what ``evaluate_answer_selection`` returned, all for the same questions;
            the rows keep its order.
        baseline: name of the system to compare with; ``None``: no comparison.
        figure: the figure whose difference from the baseline stands in the last column.
        resamples: rounds of the bootstrap.
        confidence: share of its interval.
        seed: its seed.
        title: text above the table.

    Returns:
        A ``rich.table.Table``: ``rich.print(table)``. The best figure of a column is bold. A difference with 0 outside
        its interval is marked ``*``.

    Raises:
        ValueError: no result, an unknown name, or systems of different questions.

    Example:
    >>> from keras_attention.evaluation.answer_selection import answer_selection_table, evaluate_answer_selection
    >>> labels = [[1, 0, 0], [0, 1, 0]]
    >>> bm25 = evaluate_answer_selection([[0.2, 0.1, 0.0], [0.3, 0.1, 0.0]], labels)
    >>> model = evaluate_answer_selection([[0.9, 0.1, 0.0], [0.3, 0.8, 0.0]], labels)
    >>> answer_selection_table({"BM25": bm25, "AP-CNN": model}).row_count
    2
    """
    from rich.markup import escape
    from rich.table import Table

    rows = answer_selection_rows(
        results, baseline, figure=figure, resamples=resamples, confidence=confidence, seed=seed
    )
    caption = f"{rows[0]['questions']:,} questions; ties have their expected value"
    table = Table(title=None if title is None else escape(title))
    table.add_column("")
    for heading in FIGURES.values():
        table.add_column(heading, justify="right")
    if baseline is not None:
        table.add_column(f"{FIGURES[figure]} - {escape(baseline)}", justify="right")
        caption += (
            f"; difference with {confidence:.0%} interval, paired bootstrap ({resamples:,} resamples, seed {seed})"
            ", * where 0 lies outside"
        )
    table.caption = escape(caption)
    best = {name: max(row[name] for row in rows) for name in FIGURES}
    for row in rows:
        cells = [f"[bold]{row[f]:.3f}[/bold]" if row[f] == best[f] else f"{row[f]:.3f}" for f in FIGURES]
        if baseline is not None:
            difference = ""
            if row["difference"] is not None:
                mark = "" if row["lower"] <= 0 <= row["upper"] else " *"
                difference = escape(f"{row['difference']:+.3f} [{row['lower']:+.3f}, {row['upper']:+.3f}]{mark}")
            cells.append(difference)
        table.add_row(escape(row["name"]), *cells)
    return table


def answer_selection_rows(results, baseline="BM25", *, figure="mrr", resamples=10_000, confidence=0.95, seed=0):
    """Return the rows of ``answer_selection_table`` as plain dicts, for JSON or another layout.

    Args: as ``answer_selection_table``.

    Returns:
        A list of dicts: ``name``, ``questions``, the four figures, and ``difference``, ``lower``, ``upper``,
        ``p_value`` of ``figure`` against the baseline (``None`` in the baseline's own row, or without one).

    Raises:
        ValueError: as ``answer_selection_table``.
    """
    if not results:
        raise ValueError("at least one result is needed. Received: results={}")
    check_figure(figure)
    counts = {result["questions"] for result in results.values()}
    if len(counts) > 1:
        raise ValueError(f"all systems must be of the same questions. Received: numbers of questions {sorted(counts)}")
    compared = {}
    if baseline is not None:
        compared = compare_with_baseline(
            results, baseline, figure=figure, resamples=resamples, confidence=confidence, seed=seed
        )
    rows = []
    for name, result in results.items():
        row = {"name": name, "questions": result["questions"], **{f: result[f] for f in FIGURES}}
        for key in ("difference", "lower", "upper", "p_value"):
            row[key] = getattr(compared[name], key) if name in compared else None
        rows.append(row)
    return rows


def average_results(results):
    """Average several runs of one system, say with other seeds, question by question.

    Args:
        results: list of what ``evaluate_answer_selection`` returned, all for the same questions.

    Returns:
        A dict as of ``evaluate_answer_selection``: every value is the mean over the runs. Compared by the paired
        bootstrap it says what a run may be expected to do on other questions; how far runs lie apart is another
        matter, and stands in the single results.

    Raises:
        ValueError: no result, or results of different questions.

    Example:
    >>> from keras_attention.evaluation.answer_selection import average_results, evaluate_answer_selection
    >>> runs = [evaluate_answer_selection([scores], [[1, 0]]) for scores in ([0.9, 0.1], [0.2, 0.7])]
    >>> average_results(runs)["mrr"]
    0.75
    """
    results = list(results)
    missing = [numpy.isnan(result["values"]["mrr"]) for result in results]
    if not results or any(not numpy.array_equal(rows, missing[0]) for rows in missing):
        raise ValueError(
            "results must hold at least one, and all of the same questions. "
            f"Received: {[result['questions'] for result in results]} questions"
        )
    values = {name: numpy.mean([result["values"][name] for result in results], axis=0) for name in FIGURES}
    means = {name: float(values[name][~missing[0]].mean()) for name in FIGURES}
    return {**means, "questions": results[0]["questions"], "values": values}


def right_answer_lengths(labels, candidate_lengths):
    """Return, per question, the mean length of its right candidates.

    Args:
        labels: ``(questions, candidates)``: above 0 right.
        candidate_lengths: ``(questions, candidates)`` lengths in tokens.

    Returns:
        float64 ``(questions,)``, NaN where no candidate is right.
    """
    right = numpy.asarray(labels) > 0
    lengths = numpy.where(right, numpy.asarray(candidate_lengths, dtype="float64"), 0.0)
    count = right.sum(axis=1)
    return numpy.where(count > 0, lengths.sum(axis=1) / numpy.maximum(count, 1), numpy.nan)


def accuracy_by_answer_length(values, lengths, edges=None, bins=8):
    """Average per-question values over bands of answer length, as the attentive-pooling paper does.

    Args:
        values: ``(questions,)``, say ``result["values"]["accuracy_at_1"]``. NaN is left out.
        lengths: ``(questions,)`` lengths in tokens, as ``right_answer_lengths`` gives.
        edges: rising ends of the bands; band ``i`` holds ``edges[i] <= length < edges[i + 1]``, the last one its upper
            end too. Questions outside are left out. ``None``: bands of about equally many questions.
        bins: number of bands where ``edges`` is ``None``; fewer if many lengths are equal.

    Returns:
        A dict of arrays, one entry per band that holds a question: ``length`` (mean length of its questions),
        ``value`` (mean value), ``questions`` (number), ``lower`` and ``upper`` (the band's ends).

    Raises:
        ValueError: shapes differ, nothing to average, or ends that do not rise.

    Reference: dos Santos et al. 2016, Attentive pooling networks (accuracy by the length of the right answers).
    """
    values, lengths = numpy.asarray(values, dtype="float64"), numpy.asarray(lengths, dtype="float64")
    if values.ndim != 1 or values.shape != lengths.shape:
        raise ValueError(
            "values and lengths must be one number per question. "
            f"Received: values.shape={values.shape}, lengths.shape={lengths.shape}"
        )
    kept = ~(numpy.isnan(values) | numpy.isnan(lengths))
    values, lengths = values[kept], lengths[kept]
    if not values.size:
        raise ValueError("at least one question with value and length is needed. Received: none")
    if edges is None:
        edges = numpy.unique(numpy.quantile(lengths, numpy.linspace(0, 1, bins + 1)))
        edges = edges if len(edges) > 1 else numpy.array([edges[0], edges[0] + 1])
    edges = numpy.asarray(edges, dtype="float64")
    if edges.ndim != 1 or len(edges) < 2 or (numpy.diff(edges) <= 0).any():
        raise ValueError(f"edges must rise. Received: edges={edges}")
    band = numpy.searchsorted(edges, lengths, side="right") - 1
    band[lengths == edges[-1]] = len(edges) - 2
    rows = [(b, band == b) for b in range(len(edges) - 1) if (band == b).any()]
    return {
        "length": numpy.array([lengths[here].mean() for _, here in rows]),
        "value": numpy.array([values[here].mean() for _, here in rows]),
        "questions": numpy.array([here.sum() for _, here in rows]),
        "lower": numpy.array([edges[b] for b, _ in rows]),
        "upper": numpy.array([edges[b + 1] for b, _ in rows]),
    }


def check_figure(figure):
    """Raise ValueError unless ``figure`` is one that ``evaluate_answer_selection`` returns."""
    if figure not in FIGURES:
        raise ValueError(f"figure must be one of {tuple(FIGURES)}. Received: figure={figure!r}")
