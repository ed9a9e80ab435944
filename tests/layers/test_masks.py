"""A mask that does not fit is refused by every layer that takes one, before it can broadcast."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.layers import (
    AttentionGRU,
    AttentivePooling,
    BahdanauAttention,
    FusedBidirectional,
    FusedGRU,
    FusedLSTM,
    LuongAttention,
    MaskedMaxPooling,
    WindowConvolution,
)
from keras_attention.layers.masks import check_mask, unpack_masks

PAIRS = [
    lambda: BahdanauAttention(3),
    lambda: LuongAttention("dot"),
    lambda: AttentionGRU(4),
    lambda: AttentivePooling(),
]
SINGLES = [
    lambda: FusedGRU(3),
    lambda: FusedLSTM(3),
    lambda: FusedBidirectional(FusedGRU(3)),
    lambda: MaskedMaxPooling(),
    lambda: WindowConvolution(3, 2),
]


def real(*shape):
    return np.ones(shape, bool)


@pytest.mark.parametrize("make", PAIRS)
def test_two_masks(make):
    """Two rows look like two masks, and here they would even broadcast: both sides have the length of the batch."""
    first, second = np.ones((2, 2, 4), "float32"), np.ones((2, 2, 4), "float32")
    for mask in (real(2, 2), [real(2, 2)], [real(2, 2)] * 3):
        with pytest.raises(ValueError, match="list of two"):
            make()([first, second], mask=mask)
    second = np.ones((2, 5, 4), "float32")
    for mask in ([real(2, 3), None], [None, real(2, 4)], [None, real(2, 1)], [None, real(1, 5)], [None, real(5)]):
        with pytest.raises(ValueError, match="must be boolean of shape"):
            make()([first, second], mask=mask)
    make()([first, second], mask=[real(2, 2), real(2, 5)])
    make()([first, second], mask=[None, None])


@pytest.mark.parametrize("make", SINGLES)
def test_one_mask(make):
    if isinstance(make(), keras.layers.RNN | keras.layers.Bidirectional) and keras.backend.backend() != "tensorflow":
        pytest.skip("Keras' own loop looks at its mask itself")
    inputs = np.ones((2, 3, 4), "float32")
    for mask in (real(2, 4), real(2, 1), real(1, 3), real(3)):
        with pytest.raises(ValueError, match=r"shape \(2, 3\), as its input of shape \(2, 3, 4\)"):
            make()(inputs, mask=mask)
    make()(inputs, mask=real(2, 3))


def test_unknown_sizes_pass():
    seen = keras.Input((None, 4))
    check_mask(real(2, 3), seen)
    with pytest.raises(ValueError, match=r"Received: source_mask of shape \(2,\)"):
        check_mask(real(2), seen, "source_mask")
    check_mask(None, seen)


def test_unpack():
    assert unpack_masks(None, ("a", "b")) == (None, None)
    assert unpack_masks([None, 1], ("a", "b")) == (None, 1)
    with pytest.raises(ValueError, match=r"\[a, b\]"):
        unpack_masks(ops.ones((2, 3)), ("a", "b"))
