"""Tables of results for the terminal."""


def translation_table(results, title=None):
    """Lay out the results of several translators side by side.

    Args:
        results: Dict from a name to what `evaluate_translation` returned; only `bleu`, `chrf`, `sentences_per_second`
            and `bleu_signature` are read.
        title: Text above the table, or None.

    Returns:
        A `rich.table.Table`: `rich.print(table)`. The best figure of a column is bold. Below stand the signatures of
        BLEU; scores of different signatures do not compare.

    Raises:
        ValueError: If there is no result.

    Example:
    >>> from keras_attention.evaluation import translation_table
    >>> result = {"bleu": 41.5, "chrf": 60.2, "sentences_per_second": 310.0, "bleu_signature": "nrefs:1|case:lc"}
    >>> translation_table({"RNNSearch": result}).row_count
    1
    """
    from rich.markup import escape
    from rich.table import Table

    if not results:
        raise ValueError("Expected at least one result. Received: results={}")
    signatures = list(dict.fromkeys(result["bleu_signature"] for result in results.values()))
    table = Table(title=title and escape(title), caption="\n".join(map(escape, signatures)), caption_justify="left")
    table.add_column("Model")
    columns = {"bleu": ("BLEU", ".2f"), "chrf": ("chrF", ".2f"), "sentences_per_second": ("Sentences/s", ",.1f")}
    for heading, _ in columns.values():
        table.add_column(heading, justify="right")
    best = {key: max(result[key] for result in results.values()) for key in columns}
    for name, result in results.items():
        cells = []
        for key, (_, form) in columns.items():
            text = format(result[key], form)
            cells.append(f"[bold]{text}[/bold]" if len(results) > 1 and result[key] == best[key] else text)
        table.add_row(escape(str(name)), *cells)
    return table
