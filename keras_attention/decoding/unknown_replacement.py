"""Unknown words of an output, replaced through the alignment."""

import numpy as np


def replace_unknown_words(target_words, source_words, alignment, *, unknown_word="<unk>", dictionary=None):
    """Put for each unknown output word the source word it is aligned to, or that word's entry in a dictionary.

    For an unknown target word t the source word is argmax_j a_tj, the first of equal ones (Jean et al. 2015, section
    3.3; Luong et al. 2015). Names and numbers, which make up most unknown words, are then right as they stand.

    Args:
        target_words: list of str, the output's words or pieces, without end symbol.
        source_words: list of str, the source as it was written, in the model's order, without end symbol.
        alignment: float `(T, S)`, weights after the softmax, with T at least the number of target words and S at
            least that of source words; columns beyond them (end symbol, padding) are not looked at.
        unknown_word: str that stands for an unknown word in `target_words`.
        dictionary: `None`, or a mapping from source words to target words. Words it does not have are copied.

    Returns:
        list of str, as long as `target_words`. An unknown word stays if all its weights on source words are 0.

    Raises:
        ValueError: if the alignment is smaller than the words.

    Example:
    >>> from keras_attention.decoding import replace_unknown_words
    >>> alignment = [[0.8, 0.1, 0.1], [0.1, 0.2, 0.7], [0.1, 0.8, 0.1]]
    >>> source = ["hello", "Mr", "Ngugi"]
    >>> replace_unknown_words(["bonjour", "<unk>", "<unk>"], source, alignment, dictionary={"Mr": "M."})
    ['bonjour', 'Ngugi', 'M.']
    """
    if isinstance(target_words, str) or isinstance(source_words, str):
        raise ValueError(
            "`target_words` and `source_words` must be lists of words. "
            f"Received: target_words={target_words!r}, source_words={source_words!r}"
        )
    alignment = np.asarray(alignment, dtype="float32")
    if not target_words:
        return []
    if alignment.ndim != 2 or alignment.shape[0] < len(target_words) or alignment.shape[1] < len(source_words):
        raise ValueError(
            f"`alignment` must be at least ({len(target_words)}, {len(source_words)}), target words by source words. "
            f"Received: alignment.shape={alignment.shape}"
        )
    dictionary = {} if dictionary is None else dictionary
    words = []
    for word, weights in zip(target_words, alignment[:, : len(source_words)]):
        if word == unknown_word and weights.size and weights.max() > 0:
            source_word = source_words[int(weights.argmax())]
            word = dictionary.get(source_word, source_word)
        words.append(word)
    return words
