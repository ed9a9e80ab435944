"""Additive attention with its own projections (Bahdanau, Cho and Bengio 2015)."""

import keras
from keras import ops

from keras_attention.layers.masks import check_mask, unpack_masks
from keras_attention.layers.step_attention import StepAttention


@keras.saving.register_keras_serializable(package="keras_attention")
class BahdanauAttention(StepAttention):
    r"""Additive attention: a small network scores every key against the query.

    ```
    e_ij    = v_a . tanh(W_a s_i + U_a h_j)        scores   (before the softmax)
    alpha_i = softmax over the real j of e_ij      weights  (after the softmax)
    c_i     = sum_j alpha_ij h_j                   context
    ```

    `W_a` is `query_projection`, `U_a` is `key_projection`, `v_a` is `score_vector`. Query and value may have any
    widths. With `normalize=True` the score is `g v_a / |v_a| . tanh(W_a s + U_a h + b)`, the normalised variant
    (Salimans and Kingma 2016 applied to attention), with `g` starting at `sqrt(1 / units)` and `b` at zero.

    Args:
        units: Integer, width n' of the alignment network's hidden layer (1,000 in the paper).
        normalize: Whether to use the normalised variant.
        dropout: Fraction of the weights set to zero in training; the rest are scaled by `1 / (1 - dropout)`.
        kernel_initializer: Initialiser of `W_a` and `U_a`. The paper draws them from N(0, 0.001^2):
            `keras.initializers.RandomNormal(stddev=0.001)`. The default trains faster in small models.
        score_initializer: Initialiser of `v_a`, a vector seen as a `(units, 1)` kernel. The paper's is `"zeros"`;
            the normalised variant divides by `|v_a|` and must not start at zero.
        kernel_regularizer: Regulariser of `W_a`, `U_a` and `v_a`.
        seed: Seed of the dropout.
        **kwargs: `name`, `dtype` and `trainable`, as every Keras layer takes.

    Call arguments:
        inputs: List `[query, value]`. `query` is `(batch, query_length, query_width)`, or one step
            `(batch, query_width)`; `value` is `(batch, value_length, value_width)`. Floating point.
        mask: List `[query_mask, value_mask]` of boolean tensors, `(batch, query_length)` and `(batch, value_length)`,
            or None in either place. True marks a real token. Padding among the values gets weight 0. Padding among
            the queries gets a zero context.
        return_attention_scores: Keras' keyword. When true the weights, as they stand **after** the softmax, are
            returned too.
        training: Whether dropout is applied.

    Returns:
        `context`, `(batch, query_length, value_width)` or `(batch, value_width)`, in the compute dtype. With
        `return_attention_scores=True` a pair `(context, weights)`; `weights` is float32,
        `(batch, query_length, value_length)` or `(batch, value_length)`, and each row sums to 1 (before dropout).

    A row without any real key has zero weights and a zero context, in every precision. Scores, softmax and weights are
    float32 under every dtype policy. Nothing is kept on the layer between calls; for a loop over time, project the
    memory once and step:

    ```python
    memory = layer.precompute(value, mask=value_mask)         # a plain dict of tensors
    context, weights = layer.step(query, memory)              # as often as you like
    ```

    Used bare in a Functional graph these two methods would hide the weights from the model; let a layer own the
    attention, as `AttentionGRU` does.

    Raises:
        ValueError: If an argument is out of range, if inputs or masks are not two tensors of the shapes above, or if
            `precompute` or `step` is called before the layer is built.

    Example:
    >>> import numpy as np
    >>> layer = BahdanauAttention(units=8)
    >>> query, value = np.ones((2, 3, 5), "float32"), np.ones((2, 4, 6), "float32")
    >>> context, weights = layer([query, value], return_attention_scores=True)
    >>> tuple(context.shape), tuple(weights.shape)
    ((2, 3, 6), (2, 3, 4))

    Reference:
        Bahdanau, Cho and Bengio 2015, "Neural machine translation by jointly learning to align and translate",
        section 3.1 and appendix A.1.2. https://arxiv.org/abs/1409.0473
    """

    def __init__(
        self,
        units,
        normalize=False,
        dropout=0.0,
        kernel_initializer="glorot_uniform",
        score_initializer="glorot_uniform",
        kernel_regularizer=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not isinstance(units, int) or units < 1:
            raise ValueError(f"`units` must be a positive integer. Received: units={units}")
        if not 0 <= dropout < 1:
            raise ValueError(f"`dropout` must be in [0, 1). Received: dropout={dropout}")
        self.units = units
        self.normalize = normalize
        self.dropout = dropout
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.score_initializer = keras.initializers.get(score_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed) if dropout else None
        self.supports_masking = True

        def projection(name):
            return keras.layers.Dense(
                units,
                use_bias=False,
                # A copy: one initialiser object must not draw the same numbers for two kernels.
                kernel_initializer=self.kernel_initializer.clone(),
                kernel_regularizer=self.kernel_regularizer,
                dtype=self.dtype_policy,
                name=name,
            )

        self.query_projection = projection("query_projection")
        self.key_projection = projection("key_projection")

    def build(self, input_shape):
        query_shape, value_shape = _check_shapes(input_shape)
        self.query_projection.build(query_shape)
        self.key_projection.build(value_shape)
        self.score_vector = self.add_weight(
            name="score_vector",
            shape=(self.units, 1),
            initializer=self.score_initializer,
            regularizer=self.kernel_regularizer,
        )
        if self.normalize:
            self.score_gain = self.add_weight(
                name="score_gain", shape=(), initializer=keras.initializers.Constant(self.units**-0.5)
            )
            self.score_bias = self.add_weight(name="score_bias", shape=(self.units,), initializer="zeros")
        self.built = True

    def call(self, inputs, mask=None, return_attention_scores=False, training=False):
        query, value = inputs
        query_mask, value_mask = unpack_masks(mask, ("query_mask", "value_mask"))
        context, weights = self.step(query, self.precompute(value, value_mask), training=training)
        if query_mask is not None and len(query.shape) == 3:
            check_mask(query_mask, query, "query_mask")
            context = ops.where(ops.expand_dims(query_mask, -1), context, ops.zeros_like(context))
        return (context, weights) if return_attention_scores else context

    def precompute(self, value, mask=None):
        """Project the values once: the part of the score that does not depend on the query.

        Args:
            value: `(batch, value_length, value_width)`.
            mask: Boolean `(batch, value_length)`, True for a real token, or None.

        Returns:
            A plain dict: `value` as given, `keys` = U_a h (plus the bias of the normalised variant),
            `(batch, value_length, units)`, and `mask`, boolean `(batch, value_length)`.
        """
        self._require_built("precompute")
        value = ops.cast(ops.convert_to_tensor(value), self.compute_dtype)
        check_mask(mask, value)
        keys = self.key_projection(value)
        if self.normalize:
            keys = keys + ops.cast(self.score_bias, keys.dtype)
        mask = ops.ones(ops.shape(value)[:2], dtype="bool") if mask is None else ops.cast(mask, "bool")
        return {"value": value, "keys": keys, "mask": mask}

    def step(self, query, memory, training=False):
        """Attend from one query per row, or from several, to a memory made by `precompute`.

        Args:
            query: `(batch, query_width)`, or `(batch, query_length, query_width)`.
            memory: The dict that `precompute` returned.
            training: Whether dropout is applied.

        Returns:
            `(context, weights)`: `(batch, value_width)` and float32 `(batch, value_length)`, with `query_length` as
            the second axis of both if the query had it.
        """
        self._require_built("step")
        query = ops.cast(ops.convert_to_tensor(query), self.compute_dtype)
        single = len(query.shape) == 2
        if single:
            query = ops.expand_dims(query, 1)
        hidden = ops.expand_dims(self.query_projection(query), 2) + ops.expand_dims(memory["keys"], 1)
        hidden = ops.cast(ops.tanh(hidden), self.score_dtype)  # (batch, query_length, value_length, units)
        scores = ops.squeeze(ops.matmul(hidden, self.effective_score_vector()), -1)
        context, weights = self._attend(scores, memory, training)
        if single:
            context, weights = ops.squeeze(context, 1), ops.squeeze(weights, 1)
        return context, weights

    def effective_score_vector(self):
        """Return `v_a`, or `g v_a / |v_a|` for the normalised variant: `(units, 1)`, in float32."""
        vector = ops.cast(self.score_vector, self.score_dtype)
        if self.normalize:
            length = ops.sqrt(ops.maximum(ops.sum(ops.square(vector)), 1e-12))
            vector = ops.cast(self.score_gain, self.score_dtype) * vector / length
        return vector

    def compute_mask(self, inputs, mask=None):
        # A one-step query gives one vector per sentence: no token mask belongs to it.
        return mask[0] if mask is not None and len(inputs[0].shape) == 3 else None

    def compute_output_spec(self, inputs, mask=None, return_attention_scores=False, training=False):
        query, value = inputs
        shape = (*query.shape[:-1], value.shape[-1])
        context = keras.KerasTensor(shape, dtype=self.compute_dtype)
        if not return_attention_scores:
            return context
        return context, keras.KerasTensor((*query.shape[:-1], value.shape[1]), dtype=self.score_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "normalize": self.normalize,
            "dropout": self.dropout,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "score_initializer": keras.initializers.serialize(self.score_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "seed": self.seed,
        }


def _check_shapes(input_shape):
    shapes = list(input_shape) if isinstance(input_shape, (list, tuple)) else []
    if len(shapes) != 2 or not all(hasattr(s, "__len__") for s in shapes):
        raise ValueError(f"Expected two inputs, [query, value]. Received: input_shape={input_shape}")
    query_shape, value_shape = (tuple(shape) for shape in shapes)
    if len(query_shape) not in (2, 3) or len(value_shape) != 3:
        raise ValueError(
            "Expected query (batch, query_length, width) or (batch, width) and value (batch, value_length, width). "
            f"Received: query_shape={query_shape}, value_shape={value_shape}"
        )
    if query_shape[-1] is None or value_shape[-1] is None:
        raise ValueError(
            "The widths (last axes) of query and value must be known. "
            f"Received: query_shape={query_shape}, value_shape={value_shape}"
        )
    return query_shape, value_shape
