"""The sizes that several groups share, and their arithmetic."""

import dataclasses

from benchmarks.speed.measure import Floor


@dataclasses.dataclass(frozen=True)
class TranslationSizes:
    """Sizes of RNNSearch in the training rows."""

    batch: int = 64
    source: int = 30
    target: int = 30
    embedding: int = 256
    encoder_units: int = 256
    units: int = 512
    attention_units: int = 512
    maxout_units: int = 256
    vocabulary: int = 8000

    def __str__(self):
        return f"batch {self.batch}, {self.source} x {self.target} tokens, {self.units} units"


TINY = TranslationSizes(
    batch=4, source=5, target=6, embedding=8, encoder_units=4, units=8, attention_units=8, maxout_units=8, vocabulary=50
)


def decoder_floor(sizes, floor=None):
    """Add forward and backward of the attention decoder: products hoisted as far as the recurrence allows."""
    floor = floor or Floor()
    b, s, t = sizes.batch, sizes.source, sizes.target
    e, v, n, a = sizes.embedding, 2 * sizes.encoder_units, sizes.units, sizes.attention_units
    pairs = b * s * a
    # Hoisted: inputs and keys, forward, and the two products of each gradient.
    floor.product(t * b, e, 3 * n).product(s * b, v, a)
    floor.product(t * b, 3 * n, e).product(e, t * b, 3 * n).product(s * b, a, v).product(v, s * b, a)
    # In the loop: from the state, and from the context; backward their transposes.
    floor.product(b, n, a + 3 * n, count=t).product(b, v, 3 * n, count=t)
    floor.product(b, a + 3 * n, n, count=t).product(b, 3 * n, v, count=t)
    # Weight gradients, one large product each.
    floor.product(n, t * b, a + 3 * n).product(v, t * b, 3 * n)
    # Contexts and the gradients of weights and values, per sentence.
    floor.product(t, s, v, batch=b).product(t, v, s, batch=b).product(s, t, v, batch=b)
    # The alignment network: once forward, once again backward; and its three further passes.
    return floor.elements("tanh", pairs, count=2 * t).elements("multiply", pairs, count=3 * t)


def encoder_floor(sizes, floor=None):
    """Add forward and backward of the bidirectional GRU."""
    floor = floor or Floor()
    b, s, e, n = sizes.batch, sizes.source, sizes.embedding, sizes.encoder_units
    floor.product(s * b, e, 3 * n, count=2).product(b, n, 3 * n, count=2 * s)
    floor.product(s * b, 3 * n, e, count=2).product(e, s * b, 3 * n, count=2)
    floor.product(b, 3 * n, n, count=2 * s).product(n, s * b, 3 * n, count=2)
    return floor


def step_floor(sizes):
    """The whole training step: encoder, decoder, readout, softmax, clipping and Adam."""
    floor = decoder_floor(sizes, encoder_floor(sizes))
    rows = sizes.batch * sizes.target
    width, pairs = sizes.units + sizes.embedding + 2 * sizes.encoder_units, 2 * sizes.maxout_units
    for k, n in ((width, pairs), (sizes.maxout_units, sizes.vocabulary)):
        floor.product(rows, k, n).product(rows, n, k).product(k, rows, n)
    floor.elements("exp", rows * sizes.vocabulary)
    parameters = 2 * sizes.vocabulary * sizes.embedding + width * pairs + sizes.maxout_units * sizes.vocabulary
    # Adam reads and writes two moments and the weight: at least three passes.
    return floor.elements("multiply", parameters, count=3)
