"""Multiplicative attention (Luong, Pham and Manning 2015)."""

import keras
from keras import ops

from keras_attention.layers.masks import check_mask, unpack_masks
from keras_attention.layers.step_attention import StepAttention

SCORE_MODES = ("dot", "scaled_dot", "general")


@keras.saving.register_keras_serializable(package="keras_attention")
class LuongAttention(StepAttention):
    r"""Multiplicative attention: a product of query and key is the score.

    ```
    e_ij    = s_i . h_j                    "dot"
            = s_i . h_j / sqrt(width)      "scaled_dot"
            = s_i . W_a h_j                "general"         scores   (before the softmax)
    alpha_i = softmax over the real j of e_ij                weights  (after the softmax)
    c_i     = sum_j alpha_ij h_j                             context
    ```

    One matrix product over a whole sequence, and no `(batch, query_length, value_length, units)` tensor as in additive
    attention: faster and smaller. `"scaled_dot"` is not in the paper; it keeps the scores of wide vectors from growing
    with the width (Vaswani et al. 2017, section 3.2.1). The face is that of `BahdanauAttention`, so that one may stand
    in the place of the other. The paper's `"location"` score sees no key and its local attention only a window: neither
    is here.

    Args:
        score_mode: `"dot"`, `"scaled_dot"` or `"general"` (the default, and the one that takes any widths). The first
            two have no weights, and query and value must be equally wide.
        dropout: Fraction of the weights set to zero in training; the rest are scaled by `1 / (1 - dropout)`.
        kernel_initializer: Initialiser of `W_a` (`"general"` only).
        kernel_regularizer: Regulariser of `W_a`.
        seed: Seed of the dropout.
        **kwargs: `name`, `dtype` and `trainable`, as every Keras layer takes.

    Call arguments:
        inputs: List `[query, value]`. `query` is `(batch, query_length, query_width)`, or one step
            `(batch, query_width)`; `value` is `(batch, value_length, value_width)`. Floating point.
        mask: List `[query_mask, value_mask]` of boolean tensors, `(batch, query_length)` and `(batch, value_length)`,
            or None in either place. True marks a real token. Padding among the values gets weight 0. Padding among
            the queries gets a zero context. The output carries the query's mask on.
        return_attention_scores: Keras' keyword. When true the weights, as they stand **after** the softmax, are
            returned too.
        training: Whether dropout is applied.

    Returns:
        `context`, `(batch, query_length, value_width)` or `(batch, value_width)`, in the compute dtype. With
        `return_attention_scores=True` a pair `(context, weights)`; `weights` is float32,
        `(batch, query_length, value_length)` or `(batch, value_length)`, and each row sums to 1 (before dropout).

    A row without any real key has zero weights and a zero context, in every precision. The product of query and key,
    the softmax and the weights are float32 under every dtype policy: in float16 a product of two wide vectors soon
    passes 65504. Nothing is kept on the layer between calls; for a loop over time, project the memory once and step:

    ```python
    memory = layer.precompute(value, mask=value_mask)         # a plain dict of tensors
    context, weights = layer.step(query, memory)              # as often as you like
    ```

    Used bare in a Functional graph these two methods would hide the weights from the model; let a layer own the
    attention.

    Raises:
        ValueError: If an argument is out of range, if inputs or masks are not two tensors of the shapes above, if the
            widths differ where they must not, or if `precompute` or `step` is called before the layer is built.

    Example:
    >>> import numpy as np
    >>> from keras_attention.layers import LuongAttention
    >>> layer = LuongAttention(score_mode="general")
    >>> query, value = np.ones((2, 3, 5), "float32"), np.ones((2, 4, 6), "float32")
    >>> context, weights = layer([query, value], return_attention_scores=True)
    >>> tuple(context.shape), tuple(weights.shape)
    ((2, 3, 6), (2, 3, 4))

    Reference:
        Luong, Pham and Manning 2015, "Effective approaches to attention-based neural machine translation",
        section 3.1. https://arxiv.org/abs/1508.04025
    """

    def __init__(
        self,
        score_mode="general",
        dropout=0.0,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if score_mode not in SCORE_MODES:
            raise ValueError(f"`score_mode` must be one of {SCORE_MODES}. Received: score_mode={score_mode!r}")
        if not 0 <= dropout < 1:
            raise ValueError(f"`dropout` must be in [0, 1). Received: dropout={dropout}")
        self.score_mode = score_mode
        self.dropout = dropout
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed) if dropout else None
        self.kernel = None

    def build(self, input_shape):
        """Create `W_a`, if the score has one."""
        query_width, value_width = self._check_shapes(input_shape)
        if self.score_mode == "general":
            self.kernel = self.add_weight(
                name="kernel",
                shape=(value_width, query_width),
                initializer=self.kernel_initializer,
                regularizer=self.kernel_regularizer,
            )

    def call(self, inputs, mask=None, return_attention_scores=False, training=False):
        """Attend from every query; see the class."""
        query, value = self._check_pair("inputs", inputs)
        self._check_shapes([query.shape, value.shape])
        query_mask, value_mask = unpack_masks(mask, ("query_mask", "value_mask"))
        context, weights = self.step(query, self.precompute(value, value_mask), training=training)
        query_mask = self.compute_mask(inputs, [query_mask, value_mask])
        if query_mask is not None:
            check_mask(query_mask, query, "query_mask")
            context = ops.where(ops.expand_dims(query_mask, -1), context, ops.zeros_like(context))
        return (context, weights) if return_attention_scores else context

    def precompute(self, value, mask=None):
        """Project the values once: the part of the score that does not depend on the query.

        Args:
            value: `(batch, value_length, value_width)`.
            mask: Boolean `(batch, value_length)`, True for a real token, or None.

        Returns:
            A plain dict: `value` in the compute dtype; `keys`, float32 `(batch, value_length, query_width)`, which is
            W_a h for `"general"` and otherwise h (divided by the root of the width for `"scaled_dot"`); and `mask`,
            boolean `(batch, value_length)`.
        """
        self._require_built("precompute")
        value = ops.cast(ops.convert_to_tensor(value), self.compute_dtype)
        check_mask(mask, value)
        keys = value
        if self.score_mode == "general":
            keys = ops.matmul(value, ops.cast(self.kernel, self.compute_dtype))
        keys = ops.cast(keys, self.score_dtype)
        if self.score_mode == "scaled_dot":
            keys = keys * keys.shape[-1] ** -0.5
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
        query = ops.cast(ops.cast(ops.convert_to_tensor(query), self.compute_dtype), self.score_dtype)
        single = len(query.shape) == 2
        if single:
            query = ops.expand_dims(query, 1)
        scores = ops.matmul(query, ops.swapaxes(memory["keys"], 1, 2))  # (batch, query_length, value_length)
        context, weights = self._attend(scores, memory, training)
        if single:
            context, weights = ops.squeeze(context, 1), ops.squeeze(weights, 1)
        return context, weights

    def compute_mask(self, inputs, mask=None):
        """Return the query's mask; None for a single step, whose context is a vector and has no positions."""
        query, _ = self._check_pair("inputs", inputs)
        return mask[0] if mask is not None and len(query.shape) == 3 else None

    def compute_output_spec(self, inputs, mask=None, return_attention_scores=False, training=False):
        """Return shapes and dtypes of a symbolic call, the weights' too when they are asked for."""
        query, value = self._check_pair("inputs", inputs)
        self._check_shapes([query.shape, value.shape])
        context = keras.KerasTensor(self.compute_output_shape([query.shape, value.shape]), dtype=self.compute_dtype)
        if not return_attention_scores:
            return context
        return context, keras.KerasTensor((*query.shape[:-1], value.shape[1]), dtype=self.score_dtype)

    def get_config(self):
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "score_mode": self.score_mode,
            "dropout": self.dropout,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "seed": self.seed,
        }

    def _check_shapes(self, input_shape):
        query_shape, value_shape = (tuple(shape) for shape in self._check_pair("input_shape", input_shape))
        received = f"Received: query_shape={query_shape}, value_shape={value_shape}"
        if len(query_shape) not in (2, 3) or len(value_shape) != 3:
            raise ValueError(
                "Expected query (batch, query_length, width) or (batch, width) and value (batch, value_length, width). "
                + received
            )
        query_width, value_width = query_shape[-1], value_shape[-1]
        if query_width is None or value_width is None:
            raise ValueError(f"The widths (last axes) of query and value must be known. {received}")
        if self.score_mode != "general" and query_width != value_width:
            raise ValueError(
                f"score_mode={self.score_mode!r} multiplies query and value directly, so their widths (last axes) must "
                f"be equal; score_mode='general' takes any widths. {received}"
            )
        if self.kernel is not None and tuple(self.kernel.shape) != (value_width, query_width):
            raise ValueError(
                f"This layer was built for a query of width {self.kernel.shape[1]} and a value of width "
                f"{self.kernel.shape[0]}. {received}"
            )
        return query_width, value_width

    @staticmethod
    def _check_pair(name, pair):
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise ValueError(f"`{name}` must be a list of two, [query, value]. Received: {name}={pair}")
        return pair
