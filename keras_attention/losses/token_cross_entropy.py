"""Cross-entropy over the real tokens of a batch, with label smoothing."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_attention")
class TokenCrossEntropy(keras.losses.Loss):
    """Mean negative log-likelihood per real target token, in nats.

    ```
    l_t = (1 - eps) (-log p(y_t)) + eps (-1/V sum_w log p(w))
    ```

    With smoothing this is the cross-entropy with a dense target, `eps/V` for each word and `1 - eps` more for the right
    one. Picking the right logit out instead, `(logsumexp(z) - z_y) + eps (z_y - mean(z))`, would spare the target and
    cost more: the gradient of picking is scattered word by word into zeros as large as the logits.

    Args:
        label_smoothing: eps, the share of the target given to the uniform distribution over the vocabulary.
        ignore_id: Target id that counts as padding when no sample weights are given.
        reduction: As in Keras. The default divides by the sum of the weights, that is by the number of real tokens, so
            that padding changes nothing.
        name: Name of the loss.

    Call arguments:
        y_true: Integer `(batch, length)`, the token ids to predict.
        y_pred: Logits `(batch, length, vocabulary_size)`. Computed in float32.
        sample_weight: `(batch, length)`, 1 for a real token and 0 for padding. Derived from `ignore_id` if None.

    Example:
    >>> import numpy as np
    >>> loss = TokenCrossEntropy()
    >>> float(loss(np.array([[5, 0]]), np.zeros((1, 2, 8), "float32")))  # log 8; the padding does not count
    2.079441547393799

    Reference:
        Szegedy et al. 2016, "Rethinking the Inception architecture", section 7 (label smoothing).
    """

    def __init__(
        self, label_smoothing=0.0, ignore_id=0, reduction="mean_with_sample_weight", name="token_cross_entropy"
    ):
        super().__init__(name=name, reduction=reduction, dtype="float32")
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"`label_smoothing` must be in [0, 1). Received: label_smoothing={label_smoothing}")
        self.label_smoothing = label_smoothing
        self.ignore_id = ignore_id

    def __call__(self, y_true, y_pred, sample_weight=None):
        if sample_weight is None:
            sample_weight = ops.cast(ops.not_equal(y_true, self.ignore_id), "float32")
        return super().__call__(y_true, y_pred, sample_weight)

    def call(self, y_true, y_pred):
        y_true = ops.cast(y_true, "int32")
        if not self.label_smoothing:
            return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)
        target = _smooth(y_true, ops.shape(y_pred)[-1], self.label_smoothing)
        return ops.categorical_crossentropy(target, y_pred, from_logits=True)

    def get_config(self):
        return {
            "name": self.name,
            "reduction": self.reduction,
            "label_smoothing": self.label_smoothing,
            "ignore_id": self.ignore_id,
        }


def _smooth(y_true, count, share):
    """Return the dense float32 target, `(..., count)`."""
    if keras.backend.backend() == "tensorflow":
        from keras_attention.losses.smooth_target_tensorflow import smooth_target

        return smooth_target(y_true, count, share)
    is_right = ops.equal(ops.expand_dims(y_true, -1), ops.arange(count, dtype="int32"))
    return ops.where(is_right, 1.0 - share + share / count, share / count)
