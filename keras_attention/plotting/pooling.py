"""The two-sided picture of attentive pooling: what was looked at in the question and in the answer."""

import html

import numpy

from keras_attention.plotting.alignment import merge_pieces
from keras_attention.plotting.fonts import families_for

# From no colour to a dark blue; the darker, the more weight.
_LIGHT, _DARK = numpy.array([247, 251, 255]), numpy.array([8, 48, 107])


def plot_pooling(question, question_weights, answer, answer_weights, title=None, width=7.0, merge=True):
    """Draw question and answer as running text, the darker the ground of a word the more weight it has.

    The scale is each side's own: its lightest word has the least weight of the side and its darkest the most, and both
    weights are written above it. (In the paper's form the weights of a side differ by a factor of 7.4 at most, so on a
    scale from zero a long answer would be one even grey.) A side of equal weights stays light.

    Args:
        question: list of the question's tokens, words or SentencePiece pieces, without padding.
        question_weights: ``(len(question),)``, weights after the softmax.
        answer: list of the answer's tokens.
        answer_weights: ``(len(answer),)``.
        title: text above the picture, or ``None``.
        width: width of the picture in inches; the height follows from the text.
        merge: whether subword pieces become words, their weights summed.

    Returns:
        A ``matplotlib.figure.Figure``, made without pyplot's global state: ``figure.savefig("pooling.png")``.

    Raises:
        ValueError: weights and tokens of different number, or weights that are not between 0 and 1.

    Example:
    >>> from keras_attention.plotting.pooling import plot_pooling
    >>> figure = plot_pooling(["is", "it", "safe"], [0.1, 0.1, 0.8], ["yes", ",", "quite"], [0.5, 0.1, 0.4])
    >>> [text.get_text() for text in figure.texts][1:4]
    ['is', 'it', 'safe']

    Reference: the heat maps of dos Santos, Tan, Xiang and Zhou 2016, Attentive pooling networks.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    sides = [
        ("Question", *_words("question", question, question_weights, merge)),
        ("Answer", *_words("answer", answer, answer_weights, merge)),
    ]
    families = families_for([word for _, words, _ in sides for word in words] + [title or ""])
    figure = Figure(figsize=(width, 1.0), dpi=150, facecolor="white")
    renderer = FigureCanvasAgg(figure).get_renderer()
    plain = {"family": families, "parse_math": False, "va": "baseline", "ha": "left"}
    size, line, edge, gap = 10.0, 0.27, 0.15, 0.09  # points, then inches

    # Everything is laid out in inches from the top; the figure gets its height, and places their fractions, at the end.
    placed, top = [], edge
    if title:
        top += 0.2
        placed.append((figure.text(0, 0, title, fontsize=size + 1, weight="bold", **plain), edge, top))
        top += 0.1
    for name, words, weights in sides:
        top += 0.2
        note = f"{name}, weights {weights.min():.3f} to {weights.max():.3f}" if len(words) else f"{name}, empty"
        placed.append((figure.text(0, 0, note, fontsize=size - 2.5, color="0.35", **plain), edge, top))
        top += line
        left = edge
        for word, colour in zip(words, _colours(weights)):
            ground = {"boxstyle": "square,pad=0.18", "facecolor": colour / 255, "edgecolor": "none"}
            ink = "white" if _is_dark(colour) else "black"
            text = figure.text(0, 0, word, fontsize=size, color=ink, bbox=ground, **plain)
            wide = text.get_window_extent(renderer).width / figure.dpi
            if left > edge and left + wide > width - edge:
                left, top = edge, top + line
            placed.append((text, left, top))
            left += wide + gap
        top += 0.12
    height = top + edge
    figure.set_size_inches(width, height)
    for text, left, from_top in placed:
        text.set_position((left / width, 1 - from_top / height))
    return figure


def pooling_html(question, question_weights, answer, answer_weights, title=None, merge=True):
    """Return the same picture as a piece of HTML that can be pasted into a page.

    All text is escaped, colours stand inline, and no script or style sheet is needed. Pointing at a word shows its
    weight.

    Args:
        question: list of the question's tokens, without padding.
        question_weights: ``(len(question),)``, weights after the softmax.
        answer: list of the answer's tokens.
        answer_weights: ``(len(answer),)``.
        title: text above, or ``None``.
        merge: whether subword pieces become words, their weights summed.

    Returns:
        A string, one ``<div>``.

    Raises:
        ValueError: as ``plot_pooling``.

    Example:
    >>> from keras_attention.plotting.pooling import pooling_html
    >>> "a &lt; b" in pooling_html(["a < b", "?"], [0.5, 0.5], ["yes"], [1.0])
    True
    """
    parts = ['<div style="font-family:sans-serif;line-height:1.9">']
    if title:
        parts.append(f"<p><strong>{html.escape(title)}</strong></p>")
    for name, tokens, weights in (("question", question, question_weights), ("answer", answer, answer_weights)):
        words, weights = _words(name, tokens, weights, merge)
        spans = []
        for word, weight, colour in zip(words, weights, _colours(weights)):
            ground = "#{:02x}{:02x}{:02x}".format(*colour.round().astype(int))
            ink = "#ffffff" if _is_dark(colour) else "#000000"
            spans.append(
                f'<span style="background:{ground};color:{ink};padding:1px 3px" title="{weight:.4f}">'
                f"{html.escape(word)}</span>"
            )
        note = f'<small style="color:#595959">{name.capitalize()}</small>'
        parts.append(f"<p>{note}<br>\n" + "\n".join(spans) + "</p>")
    return "\n".join([*parts, "</div>"])


def _words(name, tokens, weights, merge):
    """Return the words of a side and their weights, checked."""
    tokens, weights = list(tokens), numpy.asarray(weights, dtype="float64")
    if weights.shape != (len(tokens),) or not all(isinstance(token, str) for token in tokens):
        raise ValueError(
            f"{name} must be a list of strings with one weight each. "
            f"Received: {len(tokens)} tokens, weights of shape {weights.shape}"
        )
    if not (numpy.isfinite(weights).all() and (weights >= -1e-3).all() and (weights <= 1 + 1e-3).all()):
        raise ValueError(f"{name}_weights must lie between 0 and 1. Received: {weights}")
    if merge and tokens:
        merged, tokens, _ = merge_pieces(weights[None], tokens, ["-"])
        weights = merged[0]
    # A line break inside a word would tear the picture.
    return [" ".join(token.split()) for token in tokens], weights


def _colours(weights):
    """Return ``(n, 3)`` red, green and blue from 0 to 255: light at the least weight, dark at the most."""
    if not weights.size:
        return numpy.zeros((0, 3))
    spread = weights.max() - weights.min()
    share = (weights - weights.min()) / spread if spread > 1e-12 else numpy.zeros_like(weights)
    return _LIGHT + share[:, None] * (_DARK - _LIGHT)


def _is_dark(colour):
    return float(colour @ numpy.array([0.299, 0.587, 0.114])) < 140
