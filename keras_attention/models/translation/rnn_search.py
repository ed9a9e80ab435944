"""RNNsearch: bidirectional annotations and a learned alignment (Bahdanau, Cho and Bengio 2015)."""

import keras
from keras import ops

from keras_attention.layers.attention_gru import AttentionGRU
from keras_attention.layers.fused_bidirectional import FusedBidirectional
from keras_attention.layers.fused_gru import FusedGRU
from keras_attention.layers.maxout import Maxout
from keras_attention.models.translation.lexical_start import begin_as_lexicon
from keras_attention.models.translation.rnn_search_decoding import decoding_weights, prepare_rnn_search
from keras_attention.models.translation.translation_model import PAD_ID, TranslationModel


@keras.saving.register_keras_serializable(package="keras_attention")
class RNNSearch(TranslationModel):
    r"""Translation by jointly learning to align and translate.

    ```
    h_j = [forward GRU; backward GRU](x)_j                    annotations
    s_0 = tanh(W_s h_1 backward)
    e_tj = v_a . tanh(W_a s_{t-1} + U_a h_j), alpha_t = softmax(e_t), c_t = sum_j alpha_tj h_j
    s_t = GRU(s_{t-1}, y_{t-1}, c_t)                          c_t in both gates and the candidate
    p(y_t) = softmax(W_o maxout(U_o s_t + V_o y_{t-1} + C_o c_t))
    ```

    What the paper adds to the RNN Encoder-Decoder: one context per output word instead of one per sentence, chosen by
    the alignment, so that quality holds as sentences grow.

    Args:
        source_vocabulary_size, target_vocabulary_size: Integers, ids with the special symbols (30,000 words each in
            the paper).
        embedding_dim: Integer, m (620 in the paper).
        encoder_units: Integer, of each direction (1,000 in the paper).
        decoder_units: Integer, n (1,000 in the paper).
        attention_units: Integer, n' (1,000 in the paper); `decoder_units` if None.
        maxout_units: Integer, l (500 in the paper).
        dropout: Fraction dropped from embeddings, annotations and readout in training (0 in the paper).
        attention_dropout: Fraction of the alignment weights dropped in training.
        normalize_attention: Whether the alignment is the normalised variant of `BahdanauAttention`.
        reset_after: Where the reset gate of the GRUs stands. False is the paper's; the fused GPU kernels want True.
        tie_embeddings: Score words by the target embeddings themselves, instead of by a matrix of their own.
        paper_initialization: Draw the weights as the paper does (appendix B.1): N(0, 0.01^2) for kernels, orthogonal
            recurrent ones, W_a and U_a from N(0, 0.001^2), v_a zero. The default is Glorot, better in small models.
        dtype: Dtype or policy of the layers; the global policy if None. Logits and weights are float32 always.
        name: Name of the model.

    Input and output: see `TranslationModel`. `has_alignment` is True.

    Example:
    >>> import numpy as np
    >>> model = RNNSearch(20, 30, embedding_dim=8, encoder_units=6, decoder_units=10, maxout_units=7)
    >>> logits = model({"source_ids": np.array([[5, 6, 3]]), "target_ids": np.array([[2, 7, 8, 9]])})
    >>> tuple(logits.shape)
    (1, 4, 30)

    Reference:
        Bahdanau, Cho and Bengio 2015, section 3 and appendix A. https://arxiv.org/abs/1409.0473
    """

    has_alignment = True
    config_names = (
        "source_vocabulary_size",
        "target_vocabulary_size",
        "embedding_dim",
        "encoder_units",
        "decoder_units",
        "attention_units",
        "maxout_units",
        "dropout",
        "attention_dropout",
        "normalize_attention",
        "reset_after",
        "tie_embeddings",
        "paper_initialization",
    )

    # What a search looks at (`keras_attention.tuning`), section by section of a configuration, with the reasons.
    SEARCH_SPACE = {
        "model": {
            # The paper's 620 wants millions of pairs; below 96 words of small corpora blur.
            "embedding_dim": {"choices": [96, 128, 192, 256, 384]},
            # Of each direction. Annotations hold the neighbourhood of a word, not a sentence: less is asked.
            "encoder_units": {"choices": [96, 128, 192, 256]},
            # The loop over target words is most of a step's time, and its cost grows with this.
            "decoder_units": {"choices": [128, 192, 256, 384, 512]},
            "attention_units": {"choices": [64, 96, 128, 256]},  # costs source times target positions
            "maxout_units": {"choices": [96, 160, 256]},  # of the order of embedding_dim, as in the paper (500 : 620)
            "dropout": {"minimum": 0.0, "maximum": 0.5, "step": 0.1},  # none for large corpora, half for small ones
            "tie_embeddings": {"choices": [False, True]},  # a third of the parameters of a small model
        },
        # Adam: below 3e-4 a short run does not arrive; above 6e-3 GRUs tend to diverge even when clipped. The
        # alignment shortens the way of the gradients, so the range ends higher than with one vector.
        "training": {"learning_rate": {"minimum": 3e-4, "maximum": 6e-3, "scale": "log"}},
    }

    def __init__(
        self,
        source_vocabulary_size,
        target_vocabulary_size,
        embedding_dim=256,
        encoder_units=256,
        decoder_units=512,
        attention_units=None,
        maxout_units=256,
        dropout=0.0,
        attention_dropout=0.0,
        normalize_attention=False,
        reset_after=False,
        tie_embeddings=False,
        paper_initialization=False,
        dtype=None,
        name="rnn_search",
    ):
        # Layers
        self._set_policy(dtype)
        self._make_embeddings(source_vocabulary_size, target_vocabulary_size, embedding_dim, tie_embeddings, dropout)

        def kernel(stddev=0.01):
            return keras.initializers.RandomNormal(stddev=stddev) if paper_initialization else "glorot_uniform"

        self.encoder = FusedBidirectional(
            FusedGRU(
                encoder_units,
                return_sequences=True,
                reset_after=reset_after,
                kernel_initializer=kernel(),
                dtype=self._policy,
            ),
            dtype=self._policy,
            name="encoder",
        )
        self.annotation_dropout = keras.layers.Dropout(dropout, dtype=self._policy, name="annotation_dropout")
        self.state_projection = keras.layers.Dense(
            decoder_units, activation="tanh", kernel_initializer=kernel(), dtype=self._policy, name="state_projection"
        )
        self.decoder = AttentionGRU(
            decoder_units,
            attention_units=attention_units,
            normalize_attention=normalize_attention,
            attention_dropout=attention_dropout,
            reset_after=reset_after,
            kernel_initializer=kernel(),
            attention_kernel_initializer=kernel(0.001),
            attention_score_initializer="zeros" if paper_initialization else "glorot_uniform",
            dtype=self._policy,
            name="decoder",
        )
        self.maxout = Maxout(maxout_units, kernel_initializer=kernel(), dtype=self._policy, name="readout")
        # Functional wiring
        self._build_graph(tie_embeddings, name)
        # Config
        self.source_vocabulary_size = source_vocabulary_size
        self.target_vocabulary_size = target_vocabulary_size
        self.embedding_dim = embedding_dim
        self.encoder_units = encoder_units
        self.decoder_units = decoder_units
        self.attention_units = attention_units
        self.maxout_units = maxout_units
        self.dropout = dropout
        self.attention_dropout = attention_dropout
        self.normalize_attention = normalize_attention
        self.reset_after = reset_after
        self.tie_embeddings = tie_embeddings
        self.paper_initialization = paper_initialization

    def begin_as_lexicon(self, source_vectors, target_vectors, length=0.44, gain=12.0, seed=0):
        """Begin with weights that translate word by word, from word vectors that both languages share.

        For a new model that is to learn in little time. With vectors e in which translations lie near each other (see
        `keras_attention.data.lexical_vectors`), the first weights make

        ```
        logits_t(y) ~ gain * < sum_j alpha_tj e(x_j), e(y) >
        ```

        A target word scores by how near it lies to the source words attended to. From random weights the alignment
        has little to learn from until the readout knows what annotations mean; here each step towards the right
        source word pays from the first batch on. All stays trainable, and the equations are the paper's:

        - the encoder's candidates begin as `tanh(4 Q e(x_j))`, the rows of `Q`, over both directions, orthonormal, and
          its update gates lean to what is new (bias -1);
        - in the readout `C_o` begins as `Q^T` in both members of each maxout pair, beside random weights;
        - the words' scores begin as `gain` times the product with the target vectors.

        Args:
            source_vectors: Float `(source_vocabulary_size, embedding_dim)`; rows of zeros keep their random vector.
            target_vectors: Float `(target_vocabulary_size, embedding_dim)`.
            length: Length the vectors are brought to.
            gain: How sharply words are told apart before training.
            seed: Seed of `Q`.

        Raises:
            ValueError: If shapes do not fit, or `embedding_dim` is above twice `encoder_units`.

        Example:
        >>> import numpy as np
        >>> model = RNNSearch(5, 5, embedding_dim=5, encoder_units=4, decoder_units=6, maxout_units=5)
        >>> model.begin_as_lexicon(np.eye(5), np.eye(5), gain=100.0)  # word i means word i
        >>> logits = model({"source_ids": np.array([[4, 4, 4]]), "target_ids": np.array([[2, 3]])})
        >>> np.argmax(logits, axis=-1).tolist()
        [[4, 4]]
        """
        begin_as_lexicon(self, source_vectors, target_vectors, length, gain, seed)

    def _annotate(self, source_ids):
        mask = ops.not_equal(source_ids, PAD_ID)
        embedded = self.source_dropout(self.source_embedding(source_ids))
        annotations = self.encoder(embedded, mask=mask)
        first_backward = annotations[:, 0, annotations.shape[-1] // 2 :]
        return {
            "annotations": self.annotation_dropout(annotations),
            "mask": mask,
            "state": self.state_projection(first_backward),
        }

    def _decode_sequence(self, embedded, encoded, target_mask):
        # No target mask: padding is to the right, so no real state depends on it, and the loss leaves it out.
        states, contexts = self.decoder(
            [embedded, encoded["annotations"]], initial_state=encoded["state"], mask=[None, encoded["mask"]]
        )
        return ops.concatenate([states, embedded, contexts], axis=-1)

    def _readout(self, features):
        return self.maxout(features)

    def encode(self, source_ids):
        encoded = self._annotate(source_ids)
        memory = self.decoder.precompute(encoded["annotations"], encoded["mask"])
        return {**memory, "state": encoded["state"]}

    def initial_state(self, memory):
        return ops.expand_dims(memory["state"], 1)

    def decoding_weights(self, tabulate_words=False):
        return decoding_weights(self, fold_words=True, tabulate_words=tabulate_words)

    def prepare_decoding(self, memory, weights=None):
        return prepare_rnn_search(self, memory, weights)

    def _step(self, embedded, state, memory):
        state, context, weights = self.decoder.step(embedded, state, memory)
        return ops.concatenate([state, embedded, context], axis=-1), state, weights
