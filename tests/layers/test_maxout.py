import numpy as np
import pytest
from keras import ops

from keras_attention.layers import Maxout


def test_takes_the_greater_of_neighbours():
    layer = Maxout(2)
    layer.build((1, 4))
    layer.projection.kernel.assign(np.eye(4))
    result = layer(np.array([[1.0, 5.0, -3.0, -4.0]], "float32"))
    np.testing.assert_array_equal(ops.convert_to_numpy(result), [[5.0, -3.0]])


def test_bad_arguments():
    with pytest.raises(ValueError, match="units=0"):
        Maxout(0)
    with pytest.raises(ValueError, match="pool_size=0"):
        Maxout(3, 0)
