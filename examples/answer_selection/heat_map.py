"""The two-sided heat map of a ranked answer, as a picture or a page."""

from pathlib import Path

from keras_attention.plotting import plot_pooling, pooling_html


def write_heat_map(ranked, path, title=None):
    """Draw what was looked at in the question and in the answer.

    Args:
        ranked: A `RankedAnswer` with weights.
        path: File to write: `.html` is a piece of a page, anything else what matplotlib can write.
        title: Text above; None for the similarity.

    Returns:
        The path.
    """
    path = Path(path)
    title = f"Similarity {ranked.score:.3f}" if title is None else title
    sides = (ranked.question_tokens, ranked.question_weights, ranked.answer_tokens, ranked.answer_weights)
    if path.suffix in (".html", ".htm"):
        path.write_text(pooling_html(*sides, title=title) + "\n", encoding="utf-8")
    else:
        plot_pooling(*sides, title=title).savefig(path)
    return path
