import numpy as np
import pytest
from keras import ops

from keras_attention.layers import MaskedMaxPooling


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_by_hand(dtype):
    """All values negative, so a zero at padding would win; the last row has nothing real."""
    x = np.array([[[-1, -5], [-3, -4], [9, 9]], [[-2, -2], [9, 9], [9, 9]], [[7, 7], [7, 7], [7, 7]]], "float32")
    mask = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0]], bool)
    got = ops.convert_to_numpy(ops.cast(MaskedMaxPooling(dtype=dtype)(x, mask=mask), "float32"))
    np.testing.assert_array_equal(got, [[-1, -4], [-2, -2], [0, 0]])


def test_any_leading_axes_and_no_mask():
    x = np.arange(24.0).reshape(2, 2, 3, 2).astype("float32")
    np.testing.assert_array_equal(ops.convert_to_numpy(MaskedMaxPooling()(x)), x.max(axis=2))
    mask = np.ones((2, 2, 3), bool)
    mask[..., 2] = False
    np.testing.assert_array_equal(ops.convert_to_numpy(MaskedMaxPooling()(x, mask=mask)), x[..., :2, :].max(axis=2))


def test_no_positions_and_no_sequences():
    for mask in (None, np.ones((2, 0), bool)):
        got = ops.convert_to_numpy(MaskedMaxPooling()(np.ones((2, 0, 3), "float32"), mask=mask))
        np.testing.assert_array_equal(got, np.zeros((2, 3)))
    assert tuple(MaskedMaxPooling()(np.ones((0, 4, 3), "float32")).shape) == (0, 3)
