"""The RNN Encoder-Decoder: one context vector that feeds every state and every output (Cho et al. 2014)."""

import keras
from keras import ops

from keras_attention.layers.fused_bidirectional import FusedBidirectional
from keras_attention.layers.fused_gru import FusedGRU
from keras_attention.layers.maxout import Maxout
from keras_attention.models.translation.recurrent_steps import reverse_real_tokens, step_cell
from keras_attention.models.translation.translation_model import PAD_ID, TranslationModel


@keras.saving.register_keras_serializable(package="keras_attention")
class RNNEncoderDecoder(TranslationModel):
    r"""Translation through one vector that the decoder sees at every step.

    ```
    h_N = GRU(x)                                    the encoder's last state
    c = tanh(V h_N)
    s_0 = tanh(V' c)
    s_t = GRU(s_{t-1}, y_{t-1}, c)                  c in both gates and in the candidate
    p(y_t) = softmax(W_o maxout(O_h s_t + O_y y_{t-1} + O_c c))
    ```

    What the paper adds to an encoder and a decoder that share only a state: c is never further than one step away, so
    the state need not carry it through the sentence.

    Args:
        source_vocabulary_size, target_vocabulary_size: Integers, ids with the special symbols (15,000 in the paper).
        embedding_dim: Integer (100 in the paper).
        encoder_units: Integer (1,000 in the paper).
        decoder_units: Integer (1,000 in the paper).
        context_units: Integer, width of c; `decoder_units` if None.
        maxout_units: Integer (500 in the paper).
        dropout: Fraction dropped from embeddings, context and readout in training (0 in the paper).
        reset_after: Where the reset gate of the GRUs stands. The paper multiplies after the recurrent product,
            `r * (U h)`, so True is the paper's and the default.
        bidirectional: Read the source in both directions; h_N is then the last state of either. False is the paper's.
        reverse_source: Read the real tokens from last to first. False is the paper's.
        tie_embeddings: Score words by the target embeddings themselves, instead of by a matrix of their own.
        paper_initialization: Draw kernels from N(0, 0.01^2) as the paper does; recurrent ones are orthogonal in any
            case. The default is Glorot.
        dtype: Dtype or policy of the layers; the global policy if None. Logits are float32 always.
        name: Name of the model.

    Input and output: see `TranslationModel`. There is no alignment.

    Example:
    >>> import numpy as np
    >>> model = RNNEncoderDecoder(20, 30, embedding_dim=8, encoder_units=6, decoder_units=10, maxout_units=7)
    >>> logits = model({"source_ids": np.array([[5, 6, 3]]), "target_ids": np.array([[2, 7, 8, 9]])})
    >>> tuple(logits.shape)
    (1, 4, 30)

    Reference:
        Cho et al. 2014, "Learning phrase representations using RNN Encoder-Decoder for statistical machine
        translation", section 2 and appendix A. https://arxiv.org/abs/1406.1078
    """

    config_names = (
        "source_vocabulary_size",
        "target_vocabulary_size",
        "embedding_dim",
        "encoder_units",
        "decoder_units",
        "context_units",
        "maxout_units",
        "dropout",
        "reset_after",
        "bidirectional",
        "reverse_source",
        "tie_embeddings",
        "paper_initialization",
    )

    # What a search looks at (`keras_attention.tuning`), section by section of a configuration, with the reasons.
    SEARCH_SPACE = {
        "model": {
            # From the paper's 100 to what a small corpus can still fill.
            "embedding_dim": {"choices": [96, 128, 192, 256, 384]},
            # One vector holds the sentence, so the encoder may be as wide as the decoder. The paper has 1,000 each.
            "encoder_units": {"choices": [192, 256, 384, 512]},
            "decoder_units": {"choices": [192, 256, 384, 512]},
            "maxout_units": {"choices": [96, 160, 256]},  # of the order of embedding_dim, as in the paper (500 : 620)
            "dropout": {"minimum": 0.0, "maximum": 0.5, "step": 0.1},  # none for large corpora, half for small ones
            "bidirectional": {"choices": [False, True]},  # not in the paper, but cheap: the first word is as near
            "reverse_source": {"choices": [False, True]},  # Sutskever's remedy for the same bottleneck
            "tie_embeddings": {"choices": [False, True]},  # a third of the parameters of a small model
        },
        # Adam: below 3e-4 a short run does not arrive; above 5e-3 GRUs tend to diverge even when clipped.
        "training": {"learning_rate": {"minimum": 3e-4, "maximum": 5e-3, "scale": "log"}},
    }

    def __init__(
        self,
        source_vocabulary_size,
        target_vocabulary_size,
        embedding_dim=256,
        encoder_units=512,
        decoder_units=512,
        context_units=None,
        maxout_units=256,
        dropout=0.0,
        reset_after=True,
        bidirectional=False,
        reverse_source=False,
        tie_embeddings=False,
        paper_initialization=False,
        dtype=None,
        name="rnn_encoder_decoder",
    ):
        # Layers
        self._set_policy(dtype)
        self._make_embeddings(source_vocabulary_size, target_vocabulary_size, embedding_dim, tie_embeddings, dropout)

        def kernel():
            return keras.initializers.RandomNormal(stddev=0.01) if paper_initialization else "glorot_uniform"

        def gru(units, name, **options):
            return FusedGRU(
                units,
                reset_after=reset_after,
                kernel_initializer=kernel(),
                dtype=self._policy,
                name=name,
                **options,
            )

        def tanh(units, name):
            return keras.layers.Dense(
                units, activation="tanh", kernel_initializer=kernel(), dtype=self._policy, name=name
            )

        self.encoder = gru(encoder_units, "encoder")
        if bidirectional:
            self.encoder = FusedBidirectional(self.encoder, dtype=self._policy, name="bidirectional_encoder")
        self.context_projection = tanh(context_units or decoder_units, "context_projection")
        self.context_dropout = keras.layers.Dropout(dropout, dtype=self._policy, name="context_dropout")
        self.state_projection = tanh(decoder_units, "state_projection")
        self.decoder = gru(decoder_units, "decoder", return_sequences=True)
        self.maxout = Maxout(maxout_units, kernel_initializer=kernel(), dtype=self._policy, name="readout")
        # Set before the graph is built, since the wiring asks for it
        self.reverse_source = reverse_source
        # Functional wiring
        self._build_graph(tie_embeddings, name)
        # Config
        self.source_vocabulary_size = source_vocabulary_size
        self.target_vocabulary_size = target_vocabulary_size
        self.embedding_dim = embedding_dim
        self.encoder_units = encoder_units
        self.decoder_units = decoder_units
        self.context_units = context_units
        self.maxout_units = maxout_units
        self.dropout = dropout
        self.reset_after = reset_after
        self.bidirectional = bidirectional
        self.tie_embeddings = tie_embeddings
        self.paper_initialization = paper_initialization

    def _annotate(self, source_ids):
        mask = ops.not_equal(source_ids, PAD_ID)
        if self.reverse_source:
            source_ids = reverse_real_tokens(source_ids)
        embedded = self.source_dropout(self.source_embedding(source_ids))
        context = self.context_dropout(self.context_projection(self.encoder(embedded, mask=mask)))
        return {"context": context, "state": self.state_projection(context)}

    def _decode_sequence(self, embedded, encoded, target_mask):
        # No target mask: padding is to the right, so no real state depends on it, and the loss leaves it out.
        inputs = self._with_context(embedded, encoded["context"])
        states = self.decoder(inputs, initial_state=encoded["state"])
        return ops.concatenate([states, inputs], axis=-1)

    @staticmethod
    def _with_context(embedded, context):
        """Put c beside every y_{t-1}: a GRU over [y; c] has c in each gate and in the candidate."""
        repeated = ops.expand_dims(context, 1) * ops.ones_like(embedded[:, :, :1])
        return ops.concatenate([embedded, repeated], axis=-1)

    def _readout(self, features):
        return self.maxout(features)

    def encode(self, source_ids):
        return self._annotate(source_ids)

    def initial_state(self, memory):
        return ops.expand_dims(memory["state"], 1)

    def _step(self, embedded, state, memory):
        inputs = self._with_context(embedded, memory["context"])
        state = step_cell(self.decoder.cell, inputs, [state])[0]
        return ops.concatenate([state, inputs], axis=-1), state, None
