"""The picture of an alignment: which source words the model looked at while it wrote each target word."""

import re
import unicodedata
import warnings

import numpy as np

from keras_attention.plotting.fonts import families_for

WORD_START = "\u2581"  # SentencePiece's mark of a space before the piece.
_BYTES = re.compile(r"(?:<0x[0-9A-F]{2}>)+")
_UNSPACED_SCRIPTS = ("CJK", "HIRAGANA", "KATAKANA", "BOPOMOFO", "THAI", "LAO", "KHMER", "MYANMAR", "IDEOGRAPHIC")


def plot_alignment(weights, source, target, merge=True, title=None, colorbar=False):
    """Draw attention weights as Bahdanau et al. (2015) do in figure 3.

    Source words stand across, labels on top, target words down. A cell is grey from 0 (black) to 1 (white), always on
    this scale, so that two pictures may be compared. A row says where the model looked while it wrote that word.

    Labels are drawn in the family of `matplotlib.rcParams["font.family"]`; for characters it lacks (Chinese, Japanese,
    ...) a font of this machine that has them is added, and where there is none, a warning names the characters.

    Args:
        weights: Array `(target pieces, source pieces)`, attention weights between 0 and 1, without padding.
        source: List of the source pieces: words, or SentencePiece pieces.
        target: List of the target pieces.
        merge: Whether subword pieces become words, as `merge_pieces` does.
        title: Text above the picture, or None.
        colorbar: Whether a scale of greys stands beside it.

    Returns:
        A `matplotlib.figure.Figure`, made without pyplot's global state: `figure.savefig("alignment.png")`.

    Raises:
        ValueError: If the weights are not a matrix of numbers between 0 and 1, or its shape is not that of the words.

    Warns:
        UserWarning: If no font on the machine has some character.

    Example:
    >>> from keras_attention.plotting import plot_alignment
    >>> weights = [[0.9, 0.1, 0.0], [0.1, 0.2, 0.7]]
    >>> figure = plot_alignment(weights, ["▁a", "▁gree", "n"], ["▁un", "▁vert"])
    >>> [label.get_text() for label in figure.axes[0].get_xticklabels()]
    ['a', 'green']
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    weights = _checked(weights, source, target)
    if merge:
        weights, source, target = merge_pieces(weights, source, target)
    source, target = [_label(word) for word in source], [_label(word) for word in target]
    families = families_for([*source, *target, title or ""])

    # Cells as large as the words need, smaller where there are many, so that a picture stays below 40 inches.
    wide = any(len(word) == 2 and _upright(word) for word in source)
    cell = min(0.44 if wide else 0.36, 36 / max(weights.shape))
    size = min(12.0, cell * (27 if wide else 33))
    figure = Figure(dpi=150, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), label="alignment")
    image = axes.imshow(weights, cmap="gray", vmin=0, vmax=1, interpolation="nearest", aspect="auto")
    # parse_math off: a "$" in a sentence is a dollar.
    text = {"family": families, "fontsize": size, "parse_math": False, "usetex": False}
    axes.set_xticks(range(len(source)), source, **text)
    axes.set_yticks(range(len(target)), target, **text)
    axes.tick_params(which="both", length=0, pad=4, labeltop=True, labelbottom=False, top=False, bottom=False)
    for label in axes.get_xticklabels():
        label.set_rotation(0 if _upright(label.get_text()) else 90)
    # Hair lines between the cells lead the eye from a dark cell to its two words.
    axes.set_xticks(np.arange(0.5, len(source) - 1), minor=True)
    axes.set_yticks(np.arange(0.5, len(target) - 1), minor=True)
    axes.grid(which="minor", color="0.3", linewidth=0.4)
    axes.spines[:].set_color("0.3")
    axes.spines[:].set_linewidth(0.4)
    heading = figure.text(0.5, 1, title or "", ha="center", va="top", **{**text, "fontsize": size + 1})
    bar = figure.add_axes((0, 0, 1, 1), label="scale") if colorbar else None
    if colorbar:
        figure.colorbar(image, cax=bar, ticks=[0, 0.5, 1])
        bar.tick_params(labelsize=size * 0.7, length=0)
        bar.spines[:].set_linewidth(0.4)
    _arrange(figure, axes, heading, bar, cell)
    return figure


def _arrange(figure, axes, heading, bar, cell):
    """Give the figure the size that cells of `cell` inches and the words, as they measure, ask for."""
    with warnings.catch_warnings():  # Missing glyphs have been reported already, all in one warning.
        warnings.simplefilter("ignore")
        boxes = [[label.get_window_extent() for label in axis.get_ticklabels()] for axis in (axes.xaxis, axes.yaxis)]
        title = heading.get_window_extent()
    gap, edge = 0.08, 0.1  # inches
    columns, rows = len(boxes[0]) * cell, len(boxes[1]) * cell
    left = edge + gap + max(box.width for box in boxes[1]) / figure.dpi
    top = edge + gap + max(box.height for box in boxes[0]) / figure.dpi
    right = edge + (0.62 if bar else 0)
    above = 2 * gap + title.height / figure.dpi if heading.get_text() else 0
    # A title wider than the matrix takes what it needs on both sides.
    sides = max(0, title.width / figure.dpi + 2 * edge - 2 * min(left, right) - columns) / 2
    left, right = left + sides, right + sides
    width, height = left + columns + right, edge + rows + top + above
    figure.set_size_inches(width, height)
    axes.set_position((left / width, edge / height, columns / width, rows / height))
    heading.set_position(((left + columns / 2) / width, 1 - edge / height))
    if bar:
        place = (left + columns + 0.1) / width
        bar.set_position((place, edge / height, 0.12 / width, min(rows, 2.0) / height))


def merge_pieces(weights, source, target):
    """Merge subword pieces into words, and the weights with them.

    Source pieces of a word: their weights are **summed**, since each got a share of one row. Target pieces of a word:
    the **mean** of their rows, so that every row still sums to one.

    Pieces follow SentencePiece's convention: U+2581 begins a word. A side in which no piece has that mark is a list of
    words already, and stays. Scripts written without spaces (Chinese, Japanese, Thai, ...) keep their pieces, since a
    whole sentence would otherwise be one word. `<s>`, `</s>` and `<pad>` stand alone; byte pieces such as `<0xE4>`
    become the characters they spell.

    Args:
        weights: Array `(target pieces, source pieces)`.
        source: List of source pieces.
        target: List of target pieces.

    Returns:
        `(weights, source words, target words)`.

    Example:
    >>> from keras_attention.plotting import merge_pieces
    >>> weights = [[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]]
    >>> merged, source, target = merge_pieces(weights, ["▁the", "▁cat", "s"], ["▁ch", "ats"])
    >>> merged.tolist(), source, target
    ([[0.25, 0.75]], ['the', 'cats'], ['chats'])
    """
    weights = _checked(weights, source, target)
    source_groups, target_groups = _word_groups(source), _word_groups(target)
    merged = np.stack([weights[:, group].sum(axis=1) for group in source_groups], axis=1)
    merged = np.stack([merged[group].mean(axis=0) for group in target_groups], axis=0)
    # Sums of float32 shares may pass 1 in the last digit.
    return np.minimum(merged, 1.0), _words(source, source_groups), _words(target, target_groups)


def _word_groups(pieces):
    """Return, for each word, the list of the numbers of its pieces."""
    if not any(WORD_START in piece for piece in pieces):
        return [[i] for i in range(len(pieces))]
    groups, before = [], ""
    for i, piece in enumerate(pieces):
        begins = piece.startswith(WORD_START) or _stands_alone(piece) or _stands_alone(before)
        # A lone mark is the space before the next piece, not a word.
        joins_spaceless = before != WORD_START and (_unspaced(before[-1:]) or _unspaced(piece[:1]))
        if not groups or begins or joins_spaceless:
            groups.append([i])
        else:
            groups[-1].append(i)
        before = piece
    return groups


def _words(pieces, groups):
    return [_spelled("".join(pieces[i] for i in group)) for group in groups]


def _spelled(word):
    """Remove the word marks and turn byte pieces into text."""
    word = _BYTES.sub(
        lambda run: bytes.fromhex(run[0].replace("<0x", "").replace(">", "")).decode(errors="replace"), word
    )
    return word.replace(WORD_START, " ").strip()


def _stands_alone(piece):
    return piece in ("<s>", "</s>", "<pad>")


def _unspaced(character):
    return bool(character) and unicodedata.name(character, "").startswith(_UNSPACED_SCRIPTS)


def _label(word):
    """Make one line of it: a line break or tab inside a label would tear the picture."""
    return " ".join(word.split())


def _upright(word):
    """Whether the word is one or two Chinese or Japanese characters, which fit over a column without being turned."""
    return 0 < len(word) <= 2 and all(unicodedata.east_asian_width(c) in "WF" for c in word)


def _checked(weights, source, target):
    for name, pieces in (("source", source), ("target", target)):
        if isinstance(pieces, (str, bytes)) or not all(isinstance(piece, str) for piece in pieces):
            raise ValueError(f"`{name}` must be a list of strings. Received: {name}={pieces!r}")
    weights = np.asarray(weights, dtype="float64")
    if weights.shape != (len(target), len(source)) or not weights.size:
        raise ValueError(
            "`weights` must be a matrix (target pieces, source pieces) with at least one of each. Received: "
            f"weights of shape {weights.shape}, {len(target)} target pieces and {len(source)} source pieces"
        )
    if not np.isfinite(weights).all() or weights.min() < -1e-3 or weights.max() > 1 + 1e-3:
        raise ValueError(
            "`weights` must stand after the softmax, between 0 and 1. Received: weights from "
            f"{weights.min()} to {weights.max()}"
        )
    return weights
