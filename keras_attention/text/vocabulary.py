"""A fixed list of tokens with an id each."""

from collections import Counter
from pathlib import Path

SPECIAL_TOKENS = ("<pad>", "<unk>", "<s>", "</s>")
PAD_ID, UNKNOWN_ID, START_ID, END_ID = range(4)


class Vocabulary:
    """Tokens and their ids: 0 padding, 1 unknown, 2 start, 3 end, then the words.

    Args:
        words: the words in the order of their ids, the first getting id 4. The four special tokens are put before
            them.

    Raises:
        ValueError: a word that is empty, repeated, a special token, or that holds a line end.

    Example:
    >>> vocabulary = Vocabulary.count([["a", "dog"], ["a", "cat"]], size=6)
    >>> vocabulary.tokens
    ('<pad>', '<unk>', '<s>', '</s>', 'a', 'cat')
    >>> vocabulary.token_to_id("dog")
    1
    """

    def __init__(self, words):
        self.tokens = SPECIAL_TOKENS + tuple(words)
        self._ids = {}
        for index, token in enumerate(self.tokens):
            if not isinstance(token, str) or not token or "\n" in token:
                raise ValueError(f"`words` must hold non-empty strings of one line. Received: {token!r}")
            if token in self._ids:
                raise ValueError(f"`words` must be distinct and none of {SPECIAL_TOKENS}. Received {token!r} twice")
            self._ids[token] = index

    @classmethod
    def count(cls, tokenized_texts, size=None, minimum_count=1):
        """Make a vocabulary of the most frequent words; of equally frequent ones the first in code-point order.

        Args:
            tokenized_texts: iterable of lists of words.
            size: number of ids, the four special ones included. ``None`` takes every word.
            minimum_count: leave out words seen less often.

        Returns:
            A ``Vocabulary``.

        Raises:
            ValueError: ``size`` is larger than the texts can give, or leaves no room for a word.
        """
        counts = Counter()
        for words in tokenized_texts:
            counts.update(words)
        for special in SPECIAL_TOKENS:
            counts.pop(special, None)
        kept = sorted((w for w, n in counts.items() if n >= minimum_count), key=lambda word: (-counts[word], word))
        available = len(kept) + len(SPECIAL_TOKENS)
        if size is not None:
            if size <= len(SPECIAL_TOKENS):
                raise ValueError(f"`size` must leave room beside the 4 special tokens. Received: size={size}")
            if size > available:
                raise ValueError(
                    f"expected a vocabulary that the corpus can fill: it has {len(kept)} words seen {minimum_count} "
                    f"times or more, so at most {available} with the special tokens. Received: size={size}"
                )
            kept = kept[: size - len(SPECIAL_TOKENS)]
        return cls(kept)

    def __len__(self):
        return len(self.tokens)

    def __contains__(self, token):
        return token in self._ids

    def token_to_id(self, token):
        """Return the id of ``token``, 1 if it is not in the vocabulary."""
        return self._ids.get(token, UNKNOWN_ID)

    def id_to_token(self, index):
        """Return the token of an id.

        Raises:
            ValueError: no such id.
        """
        if not 0 <= index < len(self.tokens):
            raise ValueError(f"expected an id from 0 to {len(self.tokens) - 1}. Received: index={index}")
        return self.tokens[index]

    def save(self, path):
        """Write the words (without the special tokens), one a line, UTF-8."""
        words = self.tokens[len(SPECIAL_TOKENS) :]
        Path(path).write_bytes("".join(word + "\n" for word in words).encode("utf-8"))

    @classmethod
    def load(cls, path):
        """Read what ``save`` wrote."""
        lines = Path(path).read_bytes().decode("utf-8").split("\n")
        return cls(lines[:-1])
