"""What the three translation models share: the two faces, the embeddings, the word distribution."""

import keras
from keras import ops

from keras_attention.models.functional_model import FunctionalModel

PAD_ID = 0


class TranslationModel(FunctionalModel):
    """Base of the translation models: a Functional model with a stepwise face.

    The sequence face, for training: `model({"source_ids", "target_ids"})` gives logits `(batch, target_length,
    target_vocabulary_size)`, float32. `target_ids` begin with the start symbol, so that the logits at position t
    are for the word at position t + 1; the data pipeline shifts. Id 0 is padding, to the right.

    The stepwise face, for decoding: `memory = model.encode(source_ids)`, `state = model.initial_state(memory)`,
    `logits, state, weights = model.decode_step(token_ids, state, memory)`. Both faces run the same layers.

    A subclass sets its layers, then calls `_build_graph`, and implements

    - `_annotate(source_ids)`: the encoder, symbolic or eager, a dict of tensors;
    - `_decode_sequence(embedded, encoded, target_mask)`: what the readout reads at every target position;
    - `_readout(features)`: from there to a vector per position;
    - `encode`, `initial_state`, `_step`: the stepwise face.

    Attributes:
        has_alignment: Whether `decode_step` returns alignment weights.
    """

    has_alignment = False

    def _make_embeddings(self, source_vocabulary_size, target_vocabulary_size, embedding_dim, tie_embeddings, dropout):
        """Set the layers that all three models have. Called before the graph is built."""
        for name, value in (
            ("source_vocabulary_size", source_vocabulary_size),
            ("target_vocabulary_size", target_vocabulary_size),
            ("embedding_dim", embedding_dim),
        ):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value}")
        if not 0 <= dropout < 1:
            raise ValueError(f"`dropout` must be in [0, 1). Received: dropout={dropout}")
        initializer = keras.initializers.RandomUniform(-0.1, 0.1)
        self.source_embedding = keras.layers.Embedding(
            source_vocabulary_size,
            embedding_dim,
            embeddings_initializer=initializer,
            dtype=self._policy,
            name="source_embedding",
        )
        embedding_class = keras.layers.ReversibleEmbedding if tie_embeddings else keras.layers.Embedding
        self.target_embedding = embedding_class(
            target_vocabulary_size,
            embedding_dim,
            embeddings_initializer=initializer.clone(),
            dtype=self._policy,
            name="target_embedding",
        )
        self.source_dropout = keras.layers.Dropout(dropout, dtype=self._policy, name="source_dropout")
        self.target_dropout = keras.layers.Dropout(dropout, dtype=self._policy, name="target_dropout")
        self.readout_dropout = keras.layers.Dropout(dropout, dtype=self._policy, name="readout_dropout")
        if tie_embeddings:
            # Words are scored by their own vectors: the readout must come in their width.
            self.word_projection = keras.layers.Dense(embedding_dim, dtype=self._policy, name="word_projection")
        else:
            self.word_projection = keras.layers.Dense(
                target_vocabulary_size, dtype=self._policy, name="word_projection"
            )

    def _build_graph(self, tie_embeddings, name):
        source_ids = keras.Input((None,), dtype="int32", name="source_ids")
        target_ids = keras.Input((None,), dtype="int32", name="target_ids")
        encoded = self._annotate(source_ids)
        embedded = self.target_dropout(self.target_embedding(target_ids))
        features = self._decode_sequence(embedded, encoded, ops.not_equal(target_ids, PAD_ID))
        logits = self._word_logits(self._readout(features), tie_embeddings)
        self._make_functional({"source_ids": source_ids, "target_ids": target_ids}, logits, name)

    @property
    def word_features_model(self):
        """Functional model of the same layers: the model's inputs to what `word_kernel` turns into logits.

        For losses that take the last product in their own hands, such as `chunked_cross_entropy`.
        """
        source_ids = keras.Input((None,), dtype="int32", name="source_ids")
        target_ids = keras.Input((None,), dtype="int32", name="target_ids")
        encoded = self._annotate(source_ids)
        embedded = self.target_dropout(self.target_embedding(target_ids))
        features = self._readout(self._decode_sequence(embedded, encoded, ops.not_equal(target_ids, PAD_ID)))
        features = self.readout_dropout(features)
        if self.tie_embeddings:
            features = self.word_projection(features)
        return keras.Model({"source_ids": source_ids, "target_ids": target_ids}, features, name=f"{self.name}_features")

    def word_kernel(self):
        """Return the kernel `(width, target_vocabulary_size)` and the bias, or None, between features and logits."""
        if self.tie_embeddings:
            return ops.transpose(self.target_embedding.embeddings), None
        return self.word_projection.kernel, self.word_projection.bias

    def _word_logits(self, readout, tie_embeddings):
        projected = self.word_projection(self.readout_dropout(readout))
        if tie_embeddings:
            projected = self.target_embedding(projected, reverse=True)
        return ops.cast(projected, "float32")

    def encode(self, source_ids):
        """Read the source sentences once.

        Args:
            source_ids: Integer `(batch, source_length)`, 0 = padding, to the right.

        Returns:
            The memory: a dict of tensors whose leading axis is `batch`.
        """
        raise NotImplementedError

    def initial_state(self, memory):
        """Return the decoder's state before the first word: a nest of `(batch, 1, ...)` tensors."""
        raise NotImplementedError

    def decode_step(self, token_ids, state, memory):
        """Advance the decoder by one word.

        Args:
            token_ids: Integer `(batch, k)`: the word before, for each of k hypotheses per sentence.
            state: A nest of tensors with leading axes `(batch, k)`.
            memory: What `encode` returned, leading axis `batch`: it is never repeated per hypothesis.

        Returns:
            `(logits, state, weights)`: float32 `(batch, k, target_vocabulary_size)`, the new state, and the float32
            alignment weights `(batch, k, source_length)`, or None for a model that has none.
        """
        embedded = self.target_embedding(token_ids)
        features, state, weights = self._step(embedded, state, memory)
        return self._word_logits(self._readout(features), self.tie_embeddings), state, weights

    def decoding_weights(self, tabulate_words=False):
        """Return the weights in another form, made once for many calls, of a model that does not change any more.

        Args:
            tabulate_words: Whether a step may look up what it would multiply out of a target word's embedding. The
                table takes as long as decoding each word of the vocabulary once, and has a row for each.

        Returns:
            Dict of tensors for `prepare_decoding`, or None: the model's steps read its weights as they are.
        """
        return None

    def prepare_decoding(self, memory, weights=None):
        """Make beforehand what all the steps of a loop have in common.

        Args:
            memory: What `encode` returned.
            weights: What `decoding_weights` returned, if it is at hand; otherwise it is made here.

        Returns:
            `(step, memory)`: a function like `decode_step`, with the same results up to rounding, and the memory to
            hand to it. Here `decode_step` itself; a model that can spare something returns its own.
        """
        return self.decode_step, memory

    def load_word_vectors(self, source_vectors=None, target_vectors=None, length=None):
        """Begin with the given word vectors in place of random ones.

        Args:
            source_vectors: Float `(source_vocabulary_size, embedding_dim)`, or None to leave that side as it is. A row
                of zeros leaves that word as it is.
            target_vectors: Float `(target_vocabulary_size, embedding_dim)`, or None. With tied embeddings these are
                also what words are scored by.
            length: Length that each given vector is brought to; by default the mean length of the random rows, so
                that the model's scale is not changed.

        Raises:
            ValueError: If a shape does not fit the model.
        """
        for name, layer, vectors in (
            ("source_vectors", self.source_embedding, source_vectors),
            ("target_vectors", self.target_embedding, target_vectors),
        ):
            if vectors is None:
                continue
            vectors = ops.convert_to_numpy(vectors).astype("float32")
            rows = ops.convert_to_numpy(layer.embeddings).astype("float32")
            if vectors.shape != rows.shape:
                raise ValueError(f"`{name}` must have shape {rows.shape}. Received: {name}.shape={vectors.shape}")
            own = (vectors**2).sum(axis=1, keepdims=True) ** 0.5
            usual = ((rows**2).sum(axis=1) ** 0.5).mean() if length is None else length
            given = own[:, 0] > 0
            rows[given] = vectors[given] / own[given] * usual
            layer.embeddings.assign(rows)

    def _annotate(self, source_ids):
        raise NotImplementedError

    def _decode_sequence(self, embedded, encoded, target_mask):
        raise NotImplementedError

    def _readout(self, features):
        raise NotImplementedError

    def _step(self, embedded, state, memory):
        raise NotImplementedError

    def get_config(self):
        names = self.config_names
        return {"name": self.name, "dtype": self._policy.name, **{key: getattr(self, key) for key in names}}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)
