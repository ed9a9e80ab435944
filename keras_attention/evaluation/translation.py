"""A translator against a test set: BLEU, chrF, BLEU by sentence length, and speed."""

import time

from keras_attention.metrics.bleu import bleu_by_length, chrf, corpus_bleu


def evaluate_translation(
    translate,
    sources,
    references,
    *,
    lowercase=False,
    tokenize="13a",
    lengths=None,
    boundaries=(10, 20, 30, 40, 50, 60),
    warm_up=0,
):
    """Translate the sources once and measure what comes out.

    Args:
        translate: Callable from a list of strings to as many strings, such as `Translator.translate`.
        sources: List of source sentences.
        references: List of reference translations: strings, or lists of strings where there are several.
        lowercase: Whether BLEU and chrF ignore case.
        tokenize: sacreBLEU's tokenizer.
        lengths: Source lengths, by which `bleu_by_length` sorts: a list of integers, or a callable from the sources to
            it, such as one that counts a tokenizer's tokens. None counts space-separated words.
        boundaries: Longest length of each bucket, rising.
        warm_up: Number of the sentences that are translated once before the clock starts, so that the speed is that of
            a translator at work and not of tracing its graphs.

    Returns:
        A dict: `bleu` and `chrf`, 0 to 100; `bleu_signature` and `chrf_signature`; `bleu_by_length`, the list of
        buckets of `metrics.bleu_by_length`; `sentences`, their number; `seconds`, wall time of the one call;
        `sentences_per_second`; `translations`, the list of strings.

    Raises:
        ValueError: If there is nothing to translate, the counts differ, or `translate` does not return one string per
            source.

    Example:
    >>> from keras_attention.evaluation import evaluate_translation
    >>> result = evaluate_translation(lambda texts: [t.upper() for t in texts], ["a b c d e"], ["A B C D E"])
    >>> round(result["bleu"]), result["sentences"]
    (100, 1)
    """
    sources = list(sources)
    if not sources or len(sources) != len(references):
        raise ValueError(
            "Expected as many references as sources, at least one. "
            f"Received: {len(sources)} sources and {len(references)} references"
        )
    if lengths is None:
        lengths = [len(source.split()) for source in sources]
    elif callable(lengths):
        lengths = lengths(sources)
    if warm_up:
        translate(sources[:warm_up])
    start = time.perf_counter()
    translations = translate(sources)
    seconds = time.perf_counter() - start
    if not isinstance(translations, (list, tuple)) or not all(isinstance(t, str) for t in translations):
        raise ValueError(f"`translate` must return a list of strings. Received: {_shortened(translations)}")
    if len(translations) != len(sources):
        raise ValueError(
            f"`translate` must return one string per source. Received: {len(translations)} for {len(sources)} sources"
        )
    bleu = corpus_bleu(translations, references, lowercase, tokenize)
    character_f = chrf(translations, references, lowercase=lowercase)
    return {
        "bleu": bleu.score,
        "bleu_signature": bleu.signature,
        "chrf": character_f.score,
        "chrf_signature": character_f.signature,
        "bleu_by_length": bleu_by_length(translations, references, lengths, boundaries, lowercase, tokenize),
        "sentences": len(sources),
        "seconds": seconds,
        "sentences_per_second": len(sources) / max(seconds, 1e-9),
        "translations": list(translations),
    }


def _shortened(value):
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."
