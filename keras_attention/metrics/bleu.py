"""BLEU and chrF of translations, computed by sacreBLEU so that the figures can be compared with other people's."""

import itertools
from typing import NamedTuple


class CorpusScore(NamedTuple):
    """A score from 0 to 100, and sacreBLEU's signature, which says exactly how it was computed.

    Two BLEU scores may be compared when their signatures are equal: report both.
    """

    score: float
    signature: str


def corpus_bleu(hypotheses, references, lowercase=False, tokenize="13a"):
    """BLEU of a whole test set: n-gram precisions up to 4 times the brevity penalty (Papineni et al. 2002).

    Corpus BLEU is not the mean of sentence BLEUs: matches and lengths are summed first.

    Args:
        hypotheses: List of strings, the translations: detokenised text, since the metric tokenises by itself.
        references: List of as many entries; each a string, or a list of strings where a sentence has several
            references.
        lowercase: Whether case is ignored.
        tokenize: sacreBLEU's tokenizer: `"13a"` (the WMT standard), `"intl"`, `"char"`, `"zh"`, `"ja-mecab"`,
            `"ko-mecab"`, `"flores200"`, `"none"` (only for text that is tokenised already), and others it knows.

    Returns:
        `CorpusScore(score, signature)`; the score is 0 to 100.

    Raises:
        ValueError: If there is nothing to score, the counts differ, an entry is not a string, or the tokenizer is
            unknown.

    Example:
    >>> from keras_attention.metrics.bleu import corpus_bleu
    >>> result = corpus_bleu(["a dog runs in the park"], ["a dog runs in the park"])
    >>> round(result.score, 1), result.signature.split("|version")[0]
    (100.0, 'nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp')

    Reference:
        Post 2018, "A call for clarity in reporting BLEU scores". https://arxiv.org/abs/1804.08771
    """
    from sacrebleu.metrics import BLEU

    if tokenize not in BLEU.TOKENIZERS:
        raise ValueError(f"`tokenize` must be one of {sorted(BLEU.TOKENIZERS)}. Received: tokenize={tokenize!r}")
    return _score(BLEU(lowercase=lowercase, tokenize=tokenize), hypotheses, references)


def chrf(hypotheses, references, word_order=0, lowercase=False):
    """Character n-gram F-score, which gives credit to a right stem with a wrong ending (Popović 2015).

    Args:
        hypotheses: List of strings, the translations.
        references: As for `corpus_bleu`.
        word_order: Longest word n-gram counted beside the characters' six: 0 is chrF, 2 is chrF++.
        lowercase: Whether case is ignored.

    Returns:
        `CorpusScore(score, signature)`; the score is 0 to 100.

    Raises:
        ValueError: If there is nothing to score, the counts differ, or an entry is not a string.
    """
    from sacrebleu.metrics import CHRF

    return _score(CHRF(word_order=word_order, lowercase=lowercase), hypotheses, references)


def bleu_by_length(
    hypotheses, references, lengths=None, boundaries=(10, 20, 30, 40, 50, 60), lowercase=False, tokenize="13a"
):
    """Corpus BLEU of the short, the middle and the long sentences apart (Bahdanau et al. 2015, figure 2).

    One fixed vector per sentence fails on long sentences, and attention does not: one figure for the whole test set
    hides it.

    Args:
        hypotheses: List of strings, the translations.
        references: As for `corpus_bleu`.
        lengths: One integer per sentence, by which it is sorted into a bucket; usually the tokens of the source.
            None counts the space-separated words of the (first) reference, which is meaningless for languages written
            without spaces.
        boundaries: Rising integers: longest length of each bucket. A last bucket takes all that are longer.
        lowercase: Whether case is ignored.
        tokenize: sacreBLEU's tokenizer.

    Returns:
        A list of dicts, one for each bucket that is not empty, from short to long: `shortest` and `longest`, the
        bucket's bounds, both inclusive (`longest` is None for the last one); `mean_length`; `count`, its number of
        sentences; `bleu`, 0 to 100. A bucket of few sentences has a noisy BLEU: look at `count`.

    Raises:
        ValueError: As `corpus_bleu`; and if the number of lengths is another, or the boundaries do not rise.
    """
    streams = _reference_streams(hypotheses, references)
    if lengths is None:
        lengths = [len(reference.split()) for reference in streams[0]]
    lengths = [int(length) for length in lengths]
    if len(lengths) != len(hypotheses):
        raise ValueError(
            f"Expected one length per hypothesis. Received: {len(lengths)} lengths and {len(hypotheses)} hypotheses"
        )
    boundaries = [int(boundary) for boundary in boundaries]
    if any(low >= high for low, high in itertools.pairwise(boundaries)):
        raise ValueError(f"`boundaries` must rise. Received: boundaries={boundaries}")
    references = list(references)
    buckets = []
    for low, longest in zip([None, *boundaries], [*boundaries, None]):
        chosen = [
            i
            for i, length in enumerate(lengths)
            if (low is None or length > low) and (longest is None or length <= longest)
        ]
        if chosen:
            scored = corpus_bleu([hypotheses[i] for i in chosen], [references[i] for i in chosen], lowercase, tokenize)
            buckets.append(
                {
                    "shortest": 0 if low is None else low + 1,
                    "longest": longest,
                    "mean_length": sum(lengths[i] for i in chosen) / len(chosen),
                    "count": len(chosen),
                    "bleu": scored.score,
                }
            )
    return buckets


def _score(metric, hypotheses, references):
    streams = _reference_streams(hypotheses, references)
    result = metric.corpus_score(list(hypotheses), streams)
    return CorpusScore(float(result.score), str(metric.get_signature()))


def _reference_streams(hypotheses, references):
    """Check both sides, and turn one entry per sentence into sacreBLEU's one list per reference translator."""
    for name, texts in (("hypotheses", hypotheses), ("references", references)):
        if isinstance(texts, (str, bytes)):
            raise ValueError(f"`{name}` must be a list with one entry per sentence. Received: {name}={texts!r}")
    if len(hypotheses) != len(references):
        raise ValueError(
            "Expected as many references as hypotheses (several references of one sentence are one entry, a list). "
            f"Received: {len(hypotheses)} hypotheses and {len(references)} references"
        )
    if len(hypotheses) == 0:
        raise ValueError("Expected at least one sentence to score. Received: 0 hypotheses and 0 references")
    per_sentence = [[entry] if isinstance(entry, str) else entry for entry in references]
    for i, (hypothesis, alternatives) in enumerate(zip(hypotheses, per_sentence)):
        if not isinstance(hypothesis, str):
            raise ValueError(f"`hypotheses` must hold strings. Received: hypotheses[{i}]={hypothesis!r}")
        if not isinstance(alternatives, (list, tuple)) or not alternatives:
            raise ValueError(
                f"`references` must hold strings or non-empty lists of strings. Received: references[{i}]="
                f"{alternatives!r}"
            )
        if not all(isinstance(alternative, str) for alternative in alternatives):
            raise ValueError(f"`references` must hold strings. Received: references[{i}]={alternatives!r}")
    most = max(len(alternatives) for alternatives in per_sentence)
    # sacreBLEU takes None where a sentence has fewer references than others.
    return [[row[k] if k < len(row) else None for row in per_sentence] for k in range(most)]
