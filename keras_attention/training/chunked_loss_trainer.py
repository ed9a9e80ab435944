"""Training of a translation model whose vocabulary is so large that its logits would rule."""

import keras
from keras import ops

from keras_attention.losses.chunked_cross_entropy import chunked_cross_entropy


class ChunkedLossTrainer(keras.Model):
    """Wrap a translation model so that `fit` never holds the logits of a whole batch.

    The loss is `TokenCrossEntropy`'s, the mean per real token, computed by `chunked_cross_entropy` from what stands
    before the last product. The model is trained in place: decode, save and export it as ever.

    Args:
        model: A translation model, with `word_features_model` and `word_kernel`.
        label_smoothing: As of `TokenCrossEntropy`.
        chunk_size: Target positions whose logits are held at a time.

    Call arguments:
        inputs: Dict `source_ids`, `target_ids`, as the model's.

    Returns:
        Features, `(batch, target_length, width)`.

    Example (`fit_translation` does the same with `TranslationTraining(loss_chunk=512)`):
    ```python
    trainer = ChunkedLossTrainer(model, label_smoothing=0.1)
    trainer.compile(optimizer=keras.optimizers.Adam(1e-3, global_clipnorm=1.0))
    trainer.fit(data.dataset, steps_per_epoch=data.steps_per_epoch, epochs=10, shuffle=False)
    ```
    """

    def __init__(self, model, label_smoothing=0.0, chunk_size=512, **kwargs):
        # The model's policy, for the scaling of the loss; ids and features stay as they come.
        super().__init__(**{"name": model.name, "dtype": model.dtype_policy, "autocast": False, **kwargs})
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"`label_smoothing` must be in [0, 1). Received: label_smoothing={label_smoothing}")
        self.translation_model = model
        self.label_smoothing = label_smoothing
        self.chunk_size = chunk_size
        # The same layers once more: not to be tracked, or they would be counted and saved twice.
        object.__setattr__(self, "_features_model", model.word_features_model)
        self.built = True

    def call(self, inputs, training=None):
        """Return the features; see the class."""
        return self._features_model(inputs, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Return the mean loss per real token of the batch, from the features."""
        kernel, bias = self.translation_model.word_kernel()
        dtype = y_pred.dtype
        targets = ops.reshape(y, (-1,))
        if sample_weight is None:
            sample_weight = ops.not_equal(targets, 0)
        weights = ops.cast(ops.reshape(sample_weight, (-1,)), "float32")
        total = chunked_cross_entropy(
            ops.reshape(y_pred, (-1, y_pred.shape[-1])),
            ops.cast(kernel, dtype),
            None if bias is None else ops.cast(bias, dtype),
            targets,
            weights,
            label_smoothing=self.label_smoothing,
            chunk_size=self.chunk_size,
            training=training,
        )
        loss = total / ops.maximum(ops.sum(weights), 1e-7)
        return sum(self.translation_model.losses, loss)
