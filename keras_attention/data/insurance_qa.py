"""What the two versions of InsuranceQA share: vocabulary, answers, and ids that must be known."""

from keras_attention.data.text_lines import parse_ids, tab_separated_lines


def read_vocabulary(path):
    """Read lines ``idx_N TAB word``.

    Returns:
        A dict from ``"idx_N"`` to the word.

    Raises:
        ValueError: a malformed line or an index given twice; the message names file and line.
    """
    words = {}
    for number, (index, word) in tab_separated_lines(path, 2, skip_empty=True):
        if not index.startswith("idx_") or index in words:
            raise ValueError(f"{path}, line {number}: expected indices idx_N, each once. Received: {index!r}")
        words[index] = word
    return words


def decode(text, words, path, number):
    """Return the words of ``idx_4 idx_2 ...``; the error names the file and the line."""
    try:
        return " ".join([words[index] for index in text.split()])
    except KeyError as error:
        raise ValueError(
            f"{path}, line {number}: expected indices of the vocabulary. Received: {error.args[0]!r}"
        ) from error


def read_answers(path, words):
    """Read lines ``id TAB idx_... idx_...``.

    Returns:
        The list of answers, and a dict from the publisher's id to the answer's place in the list.

    Raises:
        ValueError: a malformed line, an unknown index, or an id given twice; the message names file and line.
    """
    answers, places = [], {}
    for number, (label, text) in tab_separated_lines(path, 2, skip_empty=True):
        ids = parse_ids(label, path, number)
        if len(ids) != 1 or ids[0] in places:
            raise ValueError(f"{path}, line {number}: expected one id, not given before. Received: {label!r}")
        places[ids[0]] = len(answers)
        answers.append(decode(text, words, path, number))
    return answers, places


def known_answers(text, places, path, number):
    """Return the places of the publisher's ids listed in ``text``; the error names the file and the line."""
    ids = parse_ids(text, path, number)
    unknown = [i for i in ids if i not in places]
    if unknown:
        raise ValueError(f"{path}, line {number}: expected ids of known answers. Received: {unknown[:10]}")
    return [places[i] for i in ids]
