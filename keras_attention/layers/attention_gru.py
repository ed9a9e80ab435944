"""A GRU decoder that attends at every step (Bahdanau, Cho and Bengio 2015)."""

import keras
from keras import ops

from keras_attention.layers.bahdanau_attention import BahdanauAttention
from keras_attention.layers.masks import check_mask, unpack_masks


@keras.saving.register_keras_serializable(package="keras_attention")
class AttentionGRU(keras.layers.Layer):
    r"""A gated recurrent decoder with a fresh context from additive attention at every step.

    ```
    c_t = attention(s_{t-1}; h_1 .. h_S)                                   the alignment looks from the state before
    z_t = sigmoid(W_z y_{t-1} + U_z s_{t-1} + C_z c_t + b_z)               update gate
    r_t = sigmoid(W_r y_{t-1} + U_r s_{t-1} + C_r c_t + b_r)               reset gate
    s~_t = tanh(W y_{t-1} + U (r_t * s_{t-1}) + C c_t + b)                 candidate
    s_t = (1 - z_t) * s_{t-1} + z_t * s~_t
    ```

    With `reset_after=True` the candidate is `tanh(W y + r_t * (U s_{t-1} + b_u) + C c_t + b)`, the form of the fused
    GPU kernels. What does not depend on the recurrence is computed outside the loop, for all steps in one product:
    `W y` for the three gates and `U_a h`.

    Args:
        units: Integer, width of the state (n = 1,000 in the paper).
        attention_units: Integer, width n' of the alignment network; `units` if None.
        normalize_attention: Use the normalised variant of `BahdanauAttention`.
        attention_dropout: Fraction of the alignment weights dropped in training.
        reset_after: Where the reset gate stands, see above. The paper resets before the product.
        kernel_initializer: Initialiser of W and C.
        recurrent_initializer: Initialiser of the three square blocks of U, each drawn for itself (orthogonal in the
            paper).
        attention_kernel_initializer, attention_score_initializer: Of the attention's W_a and U_a, and of v_a.
        fused: `None` takes the fused path with a hand-derived gradient on TensorFlow and the plain one elsewhere;
            False always takes the plain one. The two give the same numbers, which a test holds.
        seed: Seed of the dropout.
        **kwargs: `name`, `dtype` and `trainable`.

    Call arguments:
        inputs: List `[embeddings, annotations]`: `(batch, target_length, input_width)`, the words y_{t-1} that go in,
            and `(batch, source_length, value_width)`, the values to attend to.
        initial_state: `(batch, units)`, s_0. Zeros if None.
        mask: List `[target_mask, source_mask]`, boolean, True = real, either None. At a masked target position the
            state is carried on unchanged. A masked source position gets weight 0.
        return_attention_scores: Also return the weights (after the softmax, under Keras' keyword).
        training: Whether dropout is applied.

    Returns:
        `(states, contexts)`: s_1 .. s_T, `(batch, target_length, units)`, and c_1 .. c_T,
        `(batch, target_length, value_width)`. With `return_attention_scores=True` also the weights, float32
        `(batch, target_length, source_length)`.

    One step at a time, as decoding does:

    ```python
    memory = layer.precompute(annotations, source_mask)
    state, context, weights = layer.step(embedding, state, memory)      # (batch, k, width) for k hypotheses each
    ```

    Example:
    >>> import numpy as np
    >>> layer = AttentionGRU(units=8)
    >>> states, contexts = layer([np.ones((2, 3, 4), "float32"), np.ones((2, 5, 6), "float32")])
    >>> tuple(states.shape), tuple(contexts.shape)
    ((2, 3, 8), (2, 3, 6))

    Reference:
        Bahdanau, Cho and Bengio 2015, appendix A.2.2. https://arxiv.org/abs/1409.0473
    """

    def __init__(
        self,
        units,
        attention_units=None,
        normalize_attention=False,
        attention_dropout=0.0,
        reset_after=False,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        attention_kernel_initializer="glorot_uniform",
        attention_score_initializer="glorot_uniform",
        fused=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not isinstance(units, int) or units < 1:
            raise ValueError(f"`units` must be a positive integer. Received: units={units}")
        self.units = units
        self.attention_units = attention_units
        self.normalize_attention = normalize_attention
        self.attention_dropout = attention_dropout
        self.reset_after = reset_after
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.attention_kernel_initializer = keras.initializers.get(attention_kernel_initializer)
        self.attention_score_initializer = keras.initializers.get(attention_score_initializer)
        self.fused = fused
        self.seed = seed
        self.supports_masking = True
        self.attention = BahdanauAttention(
            attention_units or units,
            normalize=normalize_attention,
            dropout=attention_dropout,
            kernel_initializer=self.attention_kernel_initializer.clone(),
            score_initializer=self.attention_score_initializer.clone(),
            seed=seed,
            dtype=self.dtype_policy,
            name="attention",
        )

    def build(self, input_shape):
        if len(input_shape) != 2 or any(len(shape) != 3 for shape in input_shape):
            raise ValueError(
                "Expected [embeddings (batch, target_length, width), annotations (batch, source_length, width)]. "
                f"Received: input_shape={input_shape}"
            )
        input_width, value_width = input_shape[0][-1], input_shape[1][-1]

        def blocks(initializer):
            """Draw each gate's block for itself: an orthogonal (n, 3n) matrix is not three orthogonal ones."""
            copies = [initializer.clone() for _ in range(3)]

            def draw(shape, dtype=None):
                return ops.concatenate([one((shape[0], shape[1] // 3), dtype=dtype) for one in copies], axis=1)

            return draw

        self.kernel = self.add_weight(
            name="kernel", shape=(input_width, 3 * self.units), initializer=blocks(self.kernel_initializer)
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units, 3 * self.units),
            initializer=blocks(self.recurrent_initializer),
        )
        self.context_kernel = self.add_weight(
            name="context_kernel", shape=(value_width, 3 * self.units), initializer=blocks(self.kernel_initializer)
        )
        self.bias = self.add_weight(name="bias", shape=(3 * self.units,), initializer="zeros")
        if self.reset_after:
            self.recurrent_bias = self.add_weight(name="recurrent_bias", shape=(self.units,), initializer="zeros")
        self.attention.build([(input_shape[0][0], self.units), input_shape[1]])
        self.built = True

    def call(self, inputs, initial_state=None, mask=None, return_attention_scores=False, training=False):
        embeddings, annotations = inputs
        target_mask, source_mask = unpack_masks(mask, ("target_mask", "source_mask"))
        check_mask(target_mask, embeddings, "target_mask")
        memory = self.precompute(annotations, source_mask)
        if initial_state is None:
            initial_state = ops.zeros((ops.shape(embeddings)[0], self.units), dtype=self.compute_dtype)
        initial_state = ops.cast(initial_state, self.compute_dtype)
        # (target_length, batch, 3 units): time first, so that a step reads one contiguous block.
        projected = ops.matmul(ops.transpose(embeddings, (1, 0, 2)), self._cast(self.kernel)) + self._cast(self.bias)
        if target_mask is not None:
            target_mask = ops.cast(ops.expand_dims(ops.transpose(target_mask), -1), self.compute_dtype)
        run = self._run_fused if self.uses_fused_path else self._run_plain
        states, contexts, weights = run(projected, initial_state, memory, target_mask, training)
        states, contexts = ops.transpose(states, (1, 0, 2)), ops.transpose(contexts, (1, 0, 2))
        if not return_attention_scores:
            return states, contexts
        return states, contexts, ops.transpose(weights, (1, 0, 2))

    @property
    def uses_fused_path(self):
        """Whether the sequence goes through the loop with the hand-derived gradient. Chosen here and nowhere else."""
        return self.fused is not False and keras.backend.backend() == "tensorflow"

    def precompute(self, annotations, mask=None):
        """Project the annotations once. Arguments and result as in `BahdanauAttention.precompute`."""
        return self.attention.precompute(annotations, mask)

    def step(self, embedding, state, memory, training=False):
        """Advance one step.

        Args:
            embedding: y_{t-1}, `(batch, input_width)`, or `(batch, k, input_width)` for k hypotheses per row.
            state: s_{t-1}, `(batch, units)` or `(batch, k, units)`.
            memory: What `precompute` returned; its leading axis is `batch`, whatever k is.
            training: Whether dropout is applied.

        Returns:
            `(state, context, weights)`: s_t, c_t and the float32 weights of the step.
        """
        projected = ops.matmul(ops.cast(embedding, self.compute_dtype), self._cast(self.kernel)) + self._cast(self.bias)
        return self._advance(projected, ops.cast(state, self.compute_dtype), memory, training)

    def _advance(self, projected, state, memory, training=False, step_mask=None):
        """The one step: `projected` is W y + b of the three gates."""
        n = self.units
        context, weights = self.attention.step(state, memory, training=training)
        inputs = projected + ops.matmul(context, self._cast(self.context_kernel))
        recurrent_kernel = self._cast(self.recurrent_kernel)
        gates = ops.sigmoid(inputs[..., : 2 * n] + ops.matmul(state, recurrent_kernel[:, : 2 * n]))
        update, reset = gates[..., :n], gates[..., n:]
        if self.reset_after:
            recurrent = reset * (ops.matmul(state, recurrent_kernel[:, 2 * n :]) + self._cast(self.recurrent_bias))
        else:
            recurrent = ops.matmul(reset * state, recurrent_kernel[:, 2 * n :])
        candidate = ops.tanh(inputs[..., 2 * n :] + recurrent)
        if step_mask is not None:
            update = update * step_mask  # a closed update gate carries the state on
        return state + update * (candidate - state), context, weights

    def _run_plain(self, projected, initial_state, memory, target_mask, training):
        # On TensorFlow `ops.scan` stacks what has the carry's structure, so context and weights ride along in it, and
        # takes a single sequence where lengths are unknown, so the mask is one more column of it.
        width = 3 * self.units
        if target_mask is not None:
            projected = ops.concatenate([projected, target_mask], axis=-1)

        def body(carry, inputs):
            step_mask = inputs[:, width:] if target_mask is not None else None
            carry = self._advance(inputs[:, :width], carry[0], memory, training, step_mask)
            return carry, carry

        context = ops.zeros_like(memory["value"][:, 0, :])
        weights = ops.zeros(ops.shape(memory["mask"]), dtype=self.attention.score_dtype)
        return ops.scan(body, (initial_state, context, weights), projected)[1]

    def _run_fused(self, projected, initial_state, memory, target_mask, training):
        from keras_attention.layers.attention_gru_tensorflow import attention_gru

        dropout_mask = None
        if self.attention_dropout and training:
            shape = (ops.shape(projected)[0], *ops.shape(memory["mask"]))
            ones = ops.ones(shape, dtype=self.attention.score_dtype)
            dropout_mask = keras.random.dropout(ones, self.attention_dropout, seed=self.attention.seed_generator)
        return attention_gru(
            projected,
            initial_state,
            memory,
            query_kernel=self._cast(self.attention.query_projection.kernel),
            score_vector=self.attention.effective_score_vector(),
            context_kernel=self._cast(self.context_kernel),
            recurrent_kernel=self._cast(self.recurrent_kernel),
            recurrent_bias=self._cast(self.recurrent_bias) if self.reset_after else None,
            step_mask=target_mask,
            dropout_mask=dropout_mask,
        )

    def _cast(self, weight):
        return ops.cast(weight, self.compute_dtype)

    def compute_mask(self, inputs, mask=None):
        target_mask = mask[0] if mask is not None else None
        return target_mask, target_mask

    def compute_output_spec(self, inputs, initial_state=None, mask=None, return_attention_scores=False, training=False):
        embeddings, annotations = inputs
        lead = tuple(embeddings.shape[:2])
        specs = (
            keras.KerasTensor((*lead, self.units), dtype=self.compute_dtype),
            keras.KerasTensor((*lead, annotations.shape[-1]), dtype=self.compute_dtype),
        )
        if not return_attention_scores:
            return specs
        return (*specs, keras.KerasTensor((*lead, annotations.shape[1]), dtype=self.attention.score_dtype))

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "attention_units": self.attention_units,
            "normalize_attention": self.normalize_attention,
            "attention_dropout": self.attention_dropout,
            "reset_after": self.reset_after,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
            "attention_kernel_initializer": keras.initializers.serialize(self.attention_kernel_initializer),
            "attention_score_initializer": keras.initializers.serialize(self.attention_score_initializer),
            "fused": self.fused,
            "seed": self.seed,
        }
