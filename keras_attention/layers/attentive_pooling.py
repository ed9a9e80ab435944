"""Two-way attentive pooling of a question and an answer."""

import keras
from keras import ops

from keras_attention.layers.masked_softmax import masked_softmax
from keras_attention.layers.masks import check_mask, unpack_masks

# Stands for "no score" before a maximum. tanh of it is -1, the least score there is, and its gradient is 0.
_NO_SCORE = -1e9


@keras.saving.register_keras_serializable(package="keras_attention")
class AttentivePooling(keras.layers.Layer):
    r"""Two-way attentive pooling: each side's weights come from the other side.

    With question features `Q` (`question_length` columns) and answer features `A` (`answer_length` columns):

    ```
    G        = tanh(Q^T U A)                      scores, question_length x answer_length
    g^q      = max over the real columns of G     question_scores, question_length
    g^a      = max over the real rows of G        answer_scores, answer_length
    sigma^q  = softmax(score_scale * g^q)         question_weights, over real positions only
    sigma^a  = softmax(score_scale * g^a)         answer_weights, over real positions only
    r^q, r^a = Q sigma^q, A sigma^a               question_vector, answer_vector
    ```

    One layer serves three ways of pairing, told apart by the answer's rank and one flag:

    - one question with one answer: answer `(batch, answer_length, answer_width)`;
    - one question with many candidates: answer `(batch, candidates, answer_length, answer_width)`;
    - every question of a batch with every answer of a batch: `all_pairs=True`, both sides of rank 3.

    In all of them it is the question that gets projected (`Q^T U`, once). `U A` is never stored, so features of
    answers can be computed once and kept for any number of questions. The scores are one large matrix product, and
    since tanh is increasing it is applied to the maxima and not to the whole of `G`: same values, same gradients.

    Masking: True is a real token. Scores, maxima, softmax and weighted sums are computed in float32 under every
    dtype policy. What stands at padding has no influence. A side without a real position gives zero weights and a
    zero vector; the other side's scores are then all equal, and its vector is the mean of its real positions. No
    token mask leaves the layer: a vector has none.

    Args:
        score_scale: Positive float, the factor on the scores before the softmax. 1.0 is the paper's form. The
            scores lie between -1 and 1, so at 1.0 no position can have more than e^2 = 7.4 times the weight of
            another, which over a hundred positions is near to a plain mean. Larger values let the pooling choose.
        kernel_initializer: Initialiser of `U`, called `alignment_kernel`, `(question_width, answer_width)`.
            `"identity"` makes the first `G` the tanh of plain inner products.
        kernel_regularizer: Optional regulariser of `U`.
        kernel_constraint: Optional constraint on `U`.
        **kwargs: Arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: List of two tensors of features, `[question, answer]`. Question `(batch, question_length,
            question_width)`; answer as above. The two widths may differ.
        mask: Optional list `[question_mask, answer_mask]` of boolean tensors, shaped like the inputs without the
            last axis; either may be None (all positions are real).
        return_attention_scores: Boolean, whether to return the weights too. Keras' name; what is returned stands
            after the softmax.
        all_pairs: Boolean, whether to pair every question with every answer: question `(questions, question_length,
            question_width)` and answer `(answers, answer_length, answer_width)`.

    Returns:
        `(question_vector, answer_vector)`, and with the flag also `(question_weights, answer_weights)`, weights in
        float32. Shapes are `(batch, width)` and `(batch, length)` for pairs, `(batch, candidates, ...)` for
        candidates, `(questions, answers, ...)` for all pairs.

    Raises:
        ValueError: if the inputs are not two tensors of fitting rank and of the widths the layer was built for, the
            mask is not a pair that fits them, or `score_scale` is not positive.

    Example:
    >>> import numpy as np
    >>> from keras_attention.layers import AttentivePooling
    >>> layer = AttentivePooling()
    >>> question, answer = np.ones((2, 3, 4), "float32"), np.ones((2, 5, 4), "float32")
    >>> mask = [np.array([[1, 1, 0], [1, 0, 0]], bool), None]
    >>> vectors, weights = layer([question, answer], mask=mask, return_attention_scores=True)
    >>> print(np.round(weights[0], 2))
    [[0.5 0.5 0. ]
     [1.  0.  0. ]]

    Reference: dos Santos, Tan, Xiang, Zhou 2016, "Attentive Pooling Networks", section 4, equations 5 to 10.
    """

    def __init__(
        self,
        score_scale=1.0,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not score_scale > 0:
            raise ValueError(f"`score_scale` must be a positive number. Received: score_scale={score_scale}")
        self.supports_masking = True
        self.score_scale = float(score_scale)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)

    def build(self, input_shape):
        """Create `U` from the widths of the two sides."""
        _check_inputs(input_shape, "shapes")
        self.alignment_kernel = self.add_weight(
            name="alignment_kernel",
            shape=(input_shape[0][-1], input_shape[1][-1]),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.built = True

    def call(self, inputs, mask=None, return_attention_scores=False, all_pairs=False):
        """Pool the two sides; see the class for arguments and shapes."""
        _check_inputs(inputs, "tensors")
        question, answer = inputs
        widths = (question.shape[-1], answer.shape[-1])
        if any(width not in (None, built) for width, built in zip(widths, self.alignment_kernel.shape)):
            raise ValueError(
                f"This layer was built for features of widths {tuple(self.alignment_kernel.shape)} (question, answer). "
                f"Received: widths {widths}"
            )
        question_mask, answer_mask = unpack_masks(mask, ("question_mask", "answer_mask"))
        check_mask(question_mask, question, "question_mask")
        check_mask(answer_mask, answer, "answer_mask")
        one_answer = len(answer.shape) == 3 and not all_pairs
        if all_pairs and len(answer.shape) != 3:
            raise ValueError(
                "With `all_pairs=True` answers must have the shape (answers, answer_length, answer_width). "
                f"Received: answer of shape {tuple(answer.shape)}"
            )
        if one_answer:
            answer = ops.expand_dims(answer, 1)
            answer_mask = None if answer_mask is None else ops.expand_dims(answer_mask, 1)

        # Zero at padding, so that not even what is no number there gets into the products and their gradients.
        question, answer = _without_padding(question, question_mask), _without_padding(answer, answer_mask)
        projected = ops.cast(ops.matmul(question, self.alignment_kernel), "float32")
        question = ops.cast(question, "float32")
        answer = ops.cast(answer, "float32")
        # From here on answers are (batch, candidates, answer_length, width), or (answers, answer_length, width).
        scores = _all_pair_scores(projected, answer) if all_pairs else _candidate_scores(projected, answer)

        # Masks in the shape of the scores: (batch, question_length, candidates, answer_length).
        question_real = None if question_mask is None else ops.cast(question_mask, "bool")[:, :, None, None]
        answer_real = None
        if answer_mask is not None:
            answer_real = ops.cast(answer_mask, "bool")
            answer_real = answer_real[None, None] if all_pairs else answer_real[:, None]
        real = question_real if answer_real is None else answer_real
        if question_real is not None and answer_real is not None:
            real = ops.logical_and(question_real, answer_real)
        if real is not None:
            scores = ops.where(real, scores, _NO_SCORE)

        question_scores = ops.transpose(ops.tanh(_largest(scores, axis=3)), (0, 2, 1))
        answer_scores = ops.tanh(_largest(scores, axis=1))
        question_real = None if question_real is None else question_real[:, None, :, 0, 0]
        answer_real = None if answer_real is None else answer_real[:, 0]
        question_weights = masked_softmax(self.score_scale * question_scores, question_real)
        answer_weights = masked_softmax(self.score_scale * answer_scores, answer_real)

        question_vector = ops.matmul(question_weights, question)  # (batch, candidates, question_width)
        if all_pairs:
            answer_vector = ops.matmul(ops.transpose(answer_weights, (1, 0, 2)), answer)
            answer_vector = ops.transpose(answer_vector, (1, 0, 2))  # (questions, answers, answer_width)
        else:
            answer_vector = ops.squeeze(ops.matmul(answer_weights[:, :, None, :], answer), axis=2)
        vectors = (ops.cast(question_vector, self.compute_dtype), ops.cast(answer_vector, self.compute_dtype))
        weights = (question_weights, answer_weights)
        if one_answer:
            vectors = tuple(ops.squeeze(v, axis=1) for v in vectors)
            weights = tuple(ops.squeeze(w, axis=1) for w in weights)
        return (vectors, weights) if return_attention_scores else vectors

    def compute_mask(self, inputs, mask=None):
        """Return None: vectors carry no token mask."""
        return None

    def compute_output_shape(self, input_shape):
        """Return the shapes of the two vectors."""
        return _output_shapes(input_shape, all_pairs=False)[0]

    def compute_output_spec(self, inputs, mask=None, return_attention_scores=False, all_pairs=False):
        """Return symbolic outputs: vectors in the compute dtype, weights in float32."""
        _check_inputs(inputs, "tensors")
        vectors, weights = _output_shapes([x.shape for x in inputs], all_pairs)
        vectors = tuple(keras.KerasTensor(shape, dtype=self.compute_dtype) for shape in vectors)
        weights = tuple(keras.KerasTensor(shape, dtype="float32") for shape in weights)
        return (vectors, weights) if return_attention_scores else vectors

    def get_config(self):
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "score_scale": self.score_scale,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
        }


def _without_padding(features, mask):
    """Return the features with zeros where the mask is False."""
    if mask is None:
        return features
    return ops.where(ops.cast(mask, "bool")[..., None], features, ops.zeros_like(features))


def _candidate_scores(projected, answer):
    """Return Q^T U A, `(batch, question_length, candidates, answer_length)`, with one product per question."""
    batch, candidates, answer_length, width = ops.shape(answer)
    columns = ops.reshape(answer, (batch, candidates * answer_length, width))
    scores = ops.matmul(projected, ops.transpose(columns, (0, 2, 1)))
    return ops.reshape(scores, (batch, ops.shape(projected)[1], candidates, answer_length))


def _all_pair_scores(projected, answer):
    """Return Q^T U A of all pairs, `(questions, question_length, answers, answer_length)`, as one product."""
    questions, question_length, width = ops.shape(projected)
    answers, answer_length, _ = ops.shape(answer)
    rows = ops.reshape(projected, (questions * question_length, width))
    columns = ops.reshape(answer, (answers * answer_length, width))
    scores = ops.matmul(rows, ops.transpose(columns, (1, 0)))
    return ops.reshape(scores, (questions, question_length, answers, answer_length))


def _largest(scores, axis):
    """Return the maxima along an axis; of no score at all, as of masked ones, `_NO_SCORE`."""
    if 0 in scores.shape:
        return ops.sum(scores, axis=axis) + _NO_SCORE
    return ops.max(scores, axis=axis)


def _output_shapes(input_shape, all_pairs):
    question, answer = (tuple(shape) for shape in input_shape)
    lead = (question[0], answer[0]) if all_pairs else (question[0], *answer[1:-2])
    vectors = ((*lead, question[-1]), (*lead, answer[-1]))
    weights = ((*lead, question[-2]), (*lead, answer[-2]))
    return vectors, weights


def _check_inputs(inputs, what):
    pair = isinstance(inputs, (list, tuple)) and len(inputs) == 2
    ranks = [len(x if what == "shapes" else x.shape) for x in inputs] if pair else None
    if not pair or ranks[0] != 3 or ranks[1] not in (3, 4):
        raise ValueError(
            "Expected inputs [question, answer]: question (batch, question_length, question_width), answer (batch, "
            "answer_length, answer_width) or (batch, candidates, answer_length, answer_width). "
            f"Received: inputs={inputs}"
        )
