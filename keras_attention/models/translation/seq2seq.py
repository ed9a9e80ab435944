"""Sequence to sequence learning with one fixed vector (Sutskever, Vinyals and Le 2014)."""

import keras
from keras import ops

from keras_attention.layers.fused_lstm import FusedLSTM
from keras_attention.models.translation.recurrent_steps import reverse_real_tokens, step_cell
from keras_attention.models.translation.translation_model import PAD_ID, TranslationModel


@keras.saving.register_keras_serializable(package="keras_attention")
class Seq2Seq(TranslationModel):
    r"""Translation by two stacks of LSTMs that share nothing but a state.

    ```
    (h^l_N, m^l_N) = LSTM^l over the reversed source          for every layer l
    (h^l_0, m^l_0) of the decoder = (h^l_N, m^l_N) of the encoder
    h^1_t = LSTM^1(y_{t-1}), h^l_t = LSTM^l(h^{l-1}_t)
    p(y_t) = softmax(W_o h^L_t)
    ```

    The source is reversed inside the model, where the padding is known: real tokens only. The first source word is then
    the last one read, next to the first word written.

    Args:
        source_vocabulary_size, target_vocabulary_size: Integers, ids with the special symbols (160,000 and 80,000 words
            in the paper).
        embedding_dim: Integer (1,000 in the paper).
        units: Integer, of every LSTM layer (1,000 in the paper).
        layers_count: Integer, LSTM layers on each side (4 in the paper).
        dropout: Fraction dropped from embeddings, between layers and before the readout in training (0 in the paper).
        reverse_source: Whether the source is reversed (it is, in the paper).
        tie_embeddings: Score words by the target embeddings themselves, instead of by a matrix of their own.
        paper_initialization: Draw all LSTM weights uniformly from -0.08 to 0.08 as the paper does. The default is
            Glorot and orthogonal.
        dtype: Dtype or policy of the layers; the global policy if None. Logits are float32 always.
        name: Name of the model.

    Input and output: see `TranslationModel`. There is no alignment.

    Example:
    >>> import numpy as np
    >>> model = Seq2Seq(20, 30, embedding_dim=8, units=6, layers_count=2)
    >>> logits = model({"source_ids": np.array([[5, 6, 3]]), "target_ids": np.array([[2, 7, 8, 9]])})
    >>> tuple(logits.shape)
    (1, 4, 30)

    Reference:
        Sutskever, Vinyals and Le 2014, "Sequence to sequence learning with neural networks", sections 2 and 3.
        https://arxiv.org/abs/1409.3215
    """

    config_names = (
        "source_vocabulary_size",
        "target_vocabulary_size",
        "embedding_dim",
        "units",
        "layers_count",
        "dropout",
        "reverse_source",
        "tie_embeddings",
        "paper_initialization",
    )

    # What a search looks at (`keras_attention.tuning`), section by section of a configuration, with the reasons.
    SEARCH_SPACE = {
        "model": {
            # The paper's 1,000 wants millions of pairs; below 96 words of small corpora blur.
            "embedding_dim": {"choices": [96, 128, 192, 256, 384]},
            # The whole sentence goes through this one state: width counts more than in the models with a context.
            "units": {"choices": [192, 256, 384, 512, 768]},
            # The paper has 4. Every layer adds its time to each step, and a small corpus fills few.
            "layers_count": {"minimum": 1, "maximum": 3},
            # Nothing up to half: small corpora are learned by heart without it, large ones need none.
            "dropout": {"minimum": 0.0, "maximum": 0.5, "step": 0.1},
            "tie_embeddings": {"choices": [False, True]},  # a third of the parameters of a small model
        },
        # Adam: below 3e-4 a short run does not arrive; LSTMs above 4e-3 tend to diverge even when clipped.
        "training": {"learning_rate": {"minimum": 3e-4, "maximum": 4e-3, "scale": "log"}},
    }

    def __init__(
        self,
        source_vocabulary_size,
        target_vocabulary_size,
        embedding_dim=256,
        units=512,
        layers_count=2,
        dropout=0.0,
        reverse_source=True,
        tie_embeddings=False,
        paper_initialization=False,
        dtype=None,
        name="seq2seq",
    ):
        if not isinstance(layers_count, int) or layers_count < 1:
            raise ValueError(f"`layers_count` must be a positive integer. Received: layers_count={layers_count}")
        # Layers
        self._set_policy(dtype)
        self._make_embeddings(source_vocabulary_size, target_vocabulary_size, embedding_dim, tie_embeddings, dropout)

        def lstm(name):
            uniform = {
                f"{which}_initializer": keras.initializers.RandomUniform(-0.08, 0.08)
                for which in ("kernel", "recurrent")
            }
            return FusedLSTM(
                units,
                return_sequences=True,
                return_state=True,
                dtype=self._policy,
                name=name,
                **(uniform if paper_initialization else {}),
            )

        def dropouts(name):
            return [
                keras.layers.Dropout(dropout, dtype=self._policy, name=f"{name}_{i}") for i in range(layers_count - 1)
            ]

        self.encoder_layers = [lstm(f"encoder_{i}") for i in range(layers_count)]
        self.decoder_layers = [lstm(f"decoder_{i}") for i in range(layers_count)]
        self.encoder_dropouts = dropouts("encoder_dropout")
        self.decoder_dropouts = dropouts("decoder_dropout")
        # Set before the graph is built, since the wiring asks for it
        self.reverse_source = reverse_source
        # Functional wiring
        self._build_graph(tie_embeddings, name)
        # Config
        self.source_vocabulary_size = source_vocabulary_size
        self.target_vocabulary_size = target_vocabulary_size
        self.embedding_dim = embedding_dim
        self.units = units
        self.layers_count = layers_count
        self.dropout = dropout
        self.tie_embeddings = tie_embeddings
        self.paper_initialization = paper_initialization

    def _annotate(self, source_ids):
        mask = ops.not_equal(source_ids, PAD_ID)
        if self.reverse_source:
            source_ids = reverse_real_tokens(source_ids)
        sequence = self.source_dropout(self.source_embedding(source_ids))
        encoded = {}
        for i, layer in enumerate(self.encoder_layers):
            if i:
                sequence = self.encoder_dropouts[i - 1](sequence)
            sequence, encoded[f"hidden_{i}"], encoded[f"cell_{i}"] = layer(sequence, mask=mask)
        return encoded

    def _decode_sequence(self, embedded, encoded, target_mask):
        # No target mask: padding is to the right, so no real state depends on it, and the loss leaves it out.
        sequence = embedded
        for i, layer in enumerate(self.decoder_layers):
            if i:
                sequence = self.decoder_dropouts[i - 1](sequence)
            sequence, _, _ = layer(sequence, initial_state=[encoded[f"hidden_{i}"], encoded[f"cell_{i}"]])
        return sequence

    def _readout(self, features):
        return features

    def encode(self, source_ids):
        return self._annotate(source_ids)

    def initial_state(self, memory):
        return {name: ops.expand_dims(state, 1) for name, state in memory.items()}

    def _step(self, embedded, state, memory):
        new_state, sequence = {}, embedded
        for i, layer in enumerate(self.decoder_layers):
            states = step_cell(layer.cell, sequence, [state[f"hidden_{i}"], state[f"cell_{i}"]])
            new_state[f"hidden_{i}"], new_state[f"cell_{i}"] = states
            sequence = states[0]
        return sequence, new_state, None
