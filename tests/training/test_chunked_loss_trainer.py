"""Training without all logits is training with them."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.losses import TokenCrossEntropy
from keras_attention.models import RNNSearch
from keras_attention.training.chunked_loss_trainer import ChunkedLossTrainer

SOURCE = np.array([[5, 6, 7, 3], [8, 3, 0, 0]])
TARGET = np.array([[2, 4, 9, 10], [2, 5, 0, 0]])
LABELS = np.array([[4, 9, 10, 3], [5, 3, 0, 0]])
WEIGHTS = (LABELS != 0).astype("float32")


def make(tied):
    keras.utils.set_random_seed(0)
    return RNNSearch(11, 12, embedding_dim=6, encoder_units=4, decoder_units=5, maxout_units=3, tie_embeddings=tied)


@pytest.mark.parametrize("tied", [False, True])
def test_the_same_steps(tied):
    whole, inner = make(tied), make(tied)
    chunked = ChunkedLossTrainer(inner, label_smoothing=0.1, chunk_size=3)
    inputs = {"source_ids": SOURCE, "target_ids": TARGET}
    losses = []
    for model, loss in ((whole, TokenCrossEntropy(label_smoothing=0.1)), (chunked, None)):
        model.compile(optimizer=keras.optimizers.SGD(0.5), loss=loss, jit_compile=False)
        losses.append([float(model.train_on_batch(inputs, LABELS, WEIGHTS)) for _ in range(3)])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)
    assert losses[0][2] < losses[0][0]
    for a, b in zip(whole.trainable_variables, inner.trainable_variables):
        np.testing.assert_allclose(ops.convert_to_numpy(b), ops.convert_to_numpy(a), atol=1e-5, err_msg=a.path)


def test_weights_are_counted_once():
    model = make(False)
    assert ChunkedLossTrainer(model).count_params() == model.count_params()


def test_wrong_smoothing():
    with pytest.raises(ValueError, match="label_smoothing=1"):
        ChunkedLossTrainer(make(False), label_smoothing=1)
