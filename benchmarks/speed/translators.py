"""The translator that decoding and latency are measured on, and the sentences."""

import keras

from keras_attention.data import load_multi30k, load_tatoeba
from keras_attention.models import RNNSearch
from keras_attention.text import WordTokenizer
from keras_attention.translator import Translator


def open_translator(settings):
    """Return the translator and the sentences to translate, or None where none was named.

    Speed depends on how long the outputs are, so figures want a trained translator. The tiny one has random weights.
    """
    if settings.tiny:
        corpus = load_tatoeba("validation", "en", "fr")
        sources, targets = corpus.sources[:12], corpus.targets[:12]
        keras.utils.set_random_seed(1)
        tokenizers = [WordTokenizer.train(list(side)) for side in (sources, targets)]
        model = RNNSearch(
            *(t.vocabulary_size for t in tokenizers),
            embedding_dim=8,
            encoder_units=8,
            decoder_units=16,
            maxout_units=8,
            reset_after=True,
        )
        for weight in model.trainable_variables:  # far from the start, so that the outputs differ
            weight.assign(weight * 3.0)
        return Translator(model, *tokenizers), list(sources)
    if settings.translator is None or settings.multi30k is None:
        return None
    corpus = load_multi30k(settings.multi30k, "validation", "de", "en")
    return Translator.load(settings.translator), list(corpus.sources)


MISSING = (
    "Skipped: give --translator FOLDER (a saved RNNSearch, such as examples.translation.train with "
    "configs/multi30k_rnn_search.toml leaves in WORKDIR/translator) and --multi30k FOLDER."
)
