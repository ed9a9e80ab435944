"""Normalisation of raw text, as TensorFlow operations, so that training and serving see the same characters."""

import tensorflow as tf

UNICODE_FORMS = ("NFC", "NFD", "NFKC", "NFKD", None)
# Everything that Unicode calls a separator, and the control characters that separate.
_WHITESPACE = r"[\s\x{0b}\x{1c}-\x{1f}\x{85}\p{Z}]+"


class TextNormalizer:
    r"""Turns raw strings into the form that a tokenizer was trained on.

    The steps, in order:

    1. bytes that are not UTF-8 become U+FFFD, the replacement character (a served model must answer anything);
    2. the Unicode normal form, so that one visible text has one spelling in bytes;
    3. lower-casing of all scripts, if asked for;
    4. every run of whitespace (also no-break and ideographic spaces, tabs, line ends) becomes one space, and none is
       left at either end.

    Hence a string of spaces becomes the empty string. All steps are operations of a TensorFlow graph and are
    exported with it.

    Args:
        unicode_form: ``"NFC"``, ``"NFD"``, ``"NFKC"``, ``"NFKD"`` or ``None``. The default, NFKC, also unifies
            compatibility characters, such as ligatures and full-width letters, which a small corpus hardly shows
            twice. It is not invertible: NFC keeps them.
        lowercase: whether to lower-case. Off by default, since the case cannot be had back.

    Raises:
        ValueError: an unknown ``unicode_form`` or a ``lowercase`` that is not a bool.

    Example:
    >>> normalizer = TextNormalizer(lowercase=True)
    >>> normalizer([" Ein  Haus\u00a0"]).numpy().tolist()
    [b'ein haus']
    """

    def __init__(self, unicode_form="NFKC", lowercase=False):
        if unicode_form not in UNICODE_FORMS:
            raise ValueError(f"`unicode_form` must be one of {UNICODE_FORMS}. Received: unicode_form={unicode_form!r}")
        if not isinstance(lowercase, bool):
            raise ValueError(f"`lowercase` must be True or False. Received: lowercase={lowercase!r}")
        self.unicode_form = unicode_form
        self.lowercase = lowercase

    def __call__(self, texts):
        """Normalise a string, a list of strings or a string tensor of any shape; the shape is kept.

        Args:
            texts: string tensor, or what converts to one.

        Returns:
            String tensor of the same shape, valid UTF-8.
        """
        texts = tf.convert_to_tensor(texts, dtype=tf.string)
        texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace", replacement_char=0xFFFD)
        if self.unicode_form is not None:
            import tensorflow_text  # heavy, and not needed without a normal form

            texts = tensorflow_text.normalize_utf8(texts, self.unicode_form)
        if self.lowercase:
            texts = tf.strings.lower(texts, encoding="utf-8")
        return tf.strings.strip(tf.strings.regex_replace(texts, _WHITESPACE, " "))

    def normalize_python(self, texts, batch_size=4096):
        """Normalise an iterable of Python strings into a list, in chunks; for training a tokenizer.

        Args:
            texts: iterable of ``str``.
            batch_size: strings per call.

        Returns:
            List of ``str``.

        Raises:
            ValueError: ``texts`` is one string, or holds something else than strings.
        """
        if isinstance(texts, str | bytes):
            raise ValueError(f"`texts` must be an iterable of strings. Received: texts={texts[:40]!r}, one string")
        texts = list(texts)
        for position, text in enumerate(texts):
            if not isinstance(text, str):
                raise ValueError(f"`texts` must hold strings. Received: texts[{position}]={text!r}")
        normalized = []
        for start in range(0, len(texts), batch_size):
            encoded = [text.encode("utf-8", "replace") for text in texts[start : start + batch_size]]
            normalized += [raw.decode("utf-8") for raw in self(encoded).numpy().tolist()]
        return normalized

    def get_config(self):
        """Return the constructor's arguments."""
        return {"unicode_form": self.unicode_form, "lowercase": self.lowercase}

    @classmethod
    def from_config(cls, config):
        """Return a normaliser from ``get_config``'s dictionary."""
        return cls(**config)

    def __repr__(self):
        return f"TextNormalizer(unicode_form={self.unicode_form!r}, lowercase={self.lowercase})"
