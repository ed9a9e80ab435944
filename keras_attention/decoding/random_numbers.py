"""Uniform numbers that depend on a seed, a row and a position, and on nothing else."""

import keras
from keras import ops

PARITY = 0x1BD11BDA
ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


def seed_key(seed):
    """Return the two int32 words of a seed.

    Args:
        seed: int, or `keras.random.SeedGenerator`, whose state moves on, so that each call draws anew. Where the
            generator is used inside an exported function, the exporting object must track it.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(seed, keras.random.SeedGenerator):
        words = ops.cast(seed.next(), "int32")
        return words[0], words[1]
    if isinstance(seed, int) and not isinstance(seed, bool):
        return _word(seed), _word(seed >> 32)
    raise ValueError(f"`seed` must be an integer or a keras.random.SeedGenerator. Received: seed={seed!r}")


def uniform(key, row_ids, sample_count, length):
    """Return float32 `(length, B, sample_count)` in [0, 1), in steps of 2 ** -23.

    Keras' own generators fill a whole tensor from one seed, so that a row's numbers depend on where in the batch it
    stands. Here every number is Threefry-2x32 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), a
    function of a key and a counter: the key of a sample is Threefry(seed, sample), its numbers are
    Threefry(key, (row id, position)). Sample j is the same however many samples are drawn.

    Args:
        key: two int32 words, from `seed_key`.
        row_ids: int32 `(B,)`.
        sample_count: int or int32 scalar.
        length: int or int32 scalar.
    """
    samples = ops.arange(sample_count, dtype="int32")
    key = threefry(key, (samples, ops.zeros_like(samples)))
    rows = ops.expand_dims(ops.cast(row_ids, "int32"), (0, 2))
    positions = ops.expand_dims(ops.arange(length, dtype="int32"), (1, 2))
    rows, positions = rows + ops.zeros_like(positions), positions + ops.zeros_like(rows)
    bits, _ = threefry(key, (rows, positions))
    bits = ops.bitwise_and(ops.right_shift(bits, 9), 0x7FFFFF)
    return ops.cast(bits, "float32") * 2.0**-23


def threefry(key, counter):
    """Threefry-2x32 with 20 rounds, on int32 whose additions wrap around; shapes broadcast."""
    keys = (key[0], key[1], ops.bitwise_xor(ops.bitwise_xor(key[0], key[1]), PARITY))
    a, b = counter[0] + keys[0], counter[1] + keys[1]
    for block in range(5):
        for rotation in ROTATIONS[block % 2]:
            a = a + b
            # The right shift of a negative number draws in ones; the mask takes them off.
            low = ops.bitwise_and(ops.right_shift(b, 32 - rotation), (1 << rotation) - 1)
            b = ops.bitwise_xor(a, ops.bitwise_or(ops.left_shift(b, rotation), low))
        a, b = a + keys[(block + 1) % 3], b + keys[(block + 2) % 3] + (block + 1)
    return a, b


def _word(value):
    """The low 32 bits as a signed number."""
    return ops.convert_to_tensor(((value & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000, dtype="int32")
