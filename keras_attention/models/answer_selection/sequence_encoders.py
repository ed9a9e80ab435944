"""Token ids to features: the part that questions and answers share, with a convolution or a bidirectional LSTM."""

import keras
from keras import ops

from keras_attention.layers.center_tap import CenterTap
from keras_attention.layers.fused_bidirectional import FusedBidirectional
from keras_attention.layers.fused_lstm import FusedLSTM
from keras_attention.layers.window_convolution import WindowConvolution


@keras.saving.register_keras_serializable(package="keras_attention")
class SequenceEncoder(keras.layers.Layer):
    """Word embedding, dropout and one encoder over sequences of token ids with any leading axes.

    The same layer reads questions `(batch, length)` and answers `(batch, candidates, length)`. Id 0 is padding, on the
    right; it does not influence the features of real tokens. What comes out at padding is not meaningful: pool with
    the mask `ids != 0`.

    Args:
        vocabulary_size: Positive integer, number of ids including 0.
        embedding_width: Positive integer, width of a word vector.
        encoder: Keras layer from `(batch, length, embedding_width)` and a mask to `(batch, length, width)`, as
            `convolution_encoder` and `bilstm_encoder` make them.
        train_embeddings: Boolean, whether word vectors are trained on.
        embedding_dropout: Fraction from 0 to 1 of the components of word vectors set to zero in training.
        word_dropout: Fraction from 0 to 1 of the tokens whose whole vector is set to zero in training.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        ids: Integer tensor `(..., length)`.
        training: Boolean, whether dropout is on.

    Returns:
        Features `(..., length, width)` in the compute dtype.

    Example:
    >>> import numpy as np
    >>> from keras_attention.models.answer_selection import sequence_encoders
    >>> encoder = sequence_encoders.convolution_encoder(filters=8, window=3)
    >>> layer = sequence_encoders.SequenceEncoder(vocabulary_size=20, embedding_width=4, encoder=encoder)
    >>> tuple(layer(np.array([[[3, 4, 0], [5, 0, 0]]])).shape)
    (1, 2, 3, 8)

    Reference: dos Santos et al. 2016, "Attentive Pooling Networks", section 3.1.
    """

    def __init__(
        self,
        vocabulary_size,
        embedding_width,
        encoder,
        train_embeddings=True,
        embedding_dropout=0.0,
        word_dropout=0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.embedding_width = embedding_width
        self.encoder = encoder
        self.train_embeddings = train_embeddings
        self.embedding_dropout = embedding_dropout
        self.word_dropout = word_dropout
        self.embedding = keras.layers.Embedding(
            vocabulary_size, embedding_width, trainable=train_embeddings, dtype=self.dtype_policy, name="embedding"
        )
        # One draw per token, shared by its components.
        self._drop_words = keras.layers.Dropout(word_dropout, noise_shape=(None, None, 1), dtype=self.dtype_policy)
        self._drop_components = keras.layers.Dropout(embedding_dropout, dtype=self.dtype_policy)

    def build(self, input_shape):
        """Build the embedding and the encoder."""
        self.embedding.build((None, None))
        if not self.encoder.built:  # one that comes from the config of a built layer is built, say in `clone_model`
            self.encoder.build((None, None, self.embedding_width))
        self.built = True

    def call(self, ids, training=None):
        """Return the features; see the class."""
        lead, length = ops.shape(ids)[:-1], ops.shape(ids)[-1]
        flat = ids if len(ids.shape) == 2 else ops.reshape(ids, (-1, length))
        mask = ops.not_equal(flat, 0)
        vectors = self.embedding(flat)
        if self.word_dropout:
            vectors = self._drop_words(vectors, training=training)
        if self.embedding_dropout:
            vectors = self._drop_components(vectors, training=training)
        features = self.encoder(vectors, mask=mask)
        return features if len(ids.shape) == 2 else ops.reshape(features, (*lead, length, features.shape[-1]))

    def compute_output_shape(self, input_shape):
        """Return the input's shape with the encoder's width behind it."""
        width = self.encoder.compute_output_shape((None, None, self.embedding_width))[-1]
        return (*input_shape, width)

    def get_config(self):
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "embedding_width": self.embedding_width,
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "train_embeddings": self.train_embeddings,
            "embedding_dropout": self.embedding_dropout,
            "word_dropout": self.word_dropout,
        }

    @classmethod
    def from_config(cls, config):
        """Return the layer that `get_config` describes."""
        return cls(**{**config, "encoder": keras.saving.deserialize_keras_object(config["encoder"])})


def convolution_encoder(filters, window, kernel_initializer="glorot_uniform", dtype=None):
    """Return the linear convolution of the CNN models: `q_t = W1 [window around t] + b1`, no activation.

    Args:
        filters: Positive integer, width of the features.
        window: Positive integer, tokens per window; an even one has one more on the right.
        kernel_initializer: Initialiser of `W1`; `"center_tap"` is `CenterTap()`.
        dtype: Dtype policy; None is the global one.

    Returns:
        A `WindowConvolution`.
    """
    if kernel_initializer == "center_tap":
        kernel_initializer = CenterTap()
    return WindowConvolution(filters, window, kernel_initializer=kernel_initializer, dtype=dtype, name="convolution")


def bilstm_encoder(units, dtype=None):
    """Return the bidirectional LSTM of the biLSTM models: `h_t = [forward_t; backward_t]`.

    The backward direction begins at the last real token.

    Args:
        units: Positive integer, units of each direction: the features are twice as wide.
        dtype: Dtype policy; None is the global one.

    Returns:
        A `FusedBidirectional` around a `FusedLSTM`. `use_cudnn=False`, since an exported cuDNN layer
        does not load on a CPU server and cuDNN refuses rows of nothing but padding.
    """
    # Both directions are made here: Bidirectional's own copy of its layer can be mistaken for the layer itself while a
    # saved model is being loaded.
    forward, backward = (
        FusedLSTM(units, return_sequences=True, go_backwards=back, use_cudnn=False, dtype=dtype)
        for back in (False, True)
    )
    return FusedBidirectional(forward, merge_mode="concat", backward_layer=backward, dtype=dtype, name="bilstm")


def initializer_config(initializer):
    """Return an initialiser as a model's config holds it: a name stays a name, an object becomes its config."""
    return initializer if isinstance(initializer, (str, dict)) else keras.initializers.serialize(initializer)
