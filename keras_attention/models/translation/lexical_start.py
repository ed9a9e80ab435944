"""First weights with which RNNSearch already translates word by word."""

import numpy
from keras import ops


def begin_as_lexicon(model, source_vectors, target_vectors, length, gain, seed):
    """Set a new RNNSearch's weights as `RNNSearch.begin_as_lexicon` says."""
    width, units = model.embedding_dim, model.encoder_units
    if width > 2 * units:
        raise ValueError(
            "Annotations must have room for a word vector: expected `embedding_dim` of at most twice `encoder_units`. "
            f"Received: embedding_dim={width}, encoder_units={units}"
        )
    if not length > 0 or not gain > 0:
        raise ValueError(f"`length` and `gain` must be positive. Received: length={length}, gain={gain}")
    model.load_word_vectors(source_vectors, target_vectors, length=length)
    random = numpy.random.default_rng(seed)
    into_annotation = numpy.linalg.qr(random.standard_normal((2 * units, width)))[0].T.astype("float32")
    for layer, part in (
        (model.encoder.forward_layer, into_annotation[:, :units]),
        (model.encoder.backward_layer, into_annotation[:, units:]),
    ):
        _change(layer.cell.kernel, lambda kernel, part=part: _in_columns(kernel, 2 * units, 4.0 * part))
        _change(layer.cell.bias, lambda bias: _in_columns(bias, 0, numpy.full(units, -1.0)))
    kept = min(width, model.maxout_units)
    from_context = numpy.zeros((2 * units, model.maxout_units), "float32")
    from_context[:, :kept] = into_annotation.T[:, :kept]

    def read_context(kernel):
        kernel[-2 * units :] = 0.3 * kernel[-2 * units :] + from_context.repeat(model.maxout.pool_size, axis=1)
        return kernel

    def score_words(kernel):
        kernel *= 0.3
        if model.tie_embeddings:
            kernel[:kept, :kept] += gain * numpy.eye(kept)
        else:
            words = ops.convert_to_numpy(model.target_embedding.embeddings).astype("float32")
            kernel[:kept] += gain * words.T[:kept]
        return kernel

    _change(model.maxout.projection.kernel, read_context)
    _change(model.word_projection.kernel, score_words)


def _change(variable, function):
    variable.assign(function(ops.convert_to_numpy(variable).astype("float32").copy()))


def _in_columns(array, first, values):
    array[..., first : first + values.shape[-1]] = values
    return array
