import numpy as np
from keras import ops

from keras_attention.models import Seq2Seq
from keras_attention.models.translation.recurrent_steps import reverse_real_tokens


def test_reverses_real_tokens_only():
    ids = np.array([[5, 6, 3, 0, 0], [7, 3, 0, 0, 0], [1, 2, 4, 5, 6], [0, 0, 0, 0, 0]])
    expected = [[3, 6, 5, 0, 0], [3, 7, 0, 0, 0], [6, 5, 4, 2, 1], [0, 0, 0, 0, 0]]
    np.testing.assert_array_equal(ops.convert_to_numpy(reverse_real_tokens(ids)), expected)


def test_reversal_is_what_the_argument_says():
    """A model that reverses, given the reversed sentence, is the model that does not."""
    options = {"embedding_dim": 4, "units": 3, "layers_count": 1}
    reversing, plain = Seq2Seq(9, 9, **options), Seq2Seq(9, 9, reverse_source=False, **options)
    plain.set_weights(reversing.get_weights())
    target = np.array([[2, 4, 5]])
    a = reversing({"source_ids": np.array([[5, 6, 7, 0]]), "target_ids": target})
    b = plain({"source_ids": np.array([[7, 6, 5, 0]]), "target_ids": target})
    np.testing.assert_allclose(ops.convert_to_numpy(a), ops.convert_to_numpy(b), atol=1e-6)
