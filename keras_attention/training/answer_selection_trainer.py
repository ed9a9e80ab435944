"""What `fit` trains: an answer-selection model together with the choice of wrong answers."""

import keras
from keras import ops


class AnswerSelectionTrainer(keras.Model):
    """Wrap an answer-selection model so that `fit` takes batches of sampled or of in-batch wrong answers.

    The shape of `answer_ids` says which:

    - `(batch, candidates, length)`, sampled: each question has a right answer and its own wrong ones. All are scored
      without gradient and without dropout; then a right one and the `hardest` best-scoring wrong ones are run again,
      and only they are trained on. With 50 sampled and 1 hardest that is the paper's way.
    - `(answers, length)`, in batch: every question is scored against every answer of the batch in one go.

    Choosing and training are parts of `call`, so that it works through `fit` on every backend. A forward pass is about
    a third of a training step: scoring 51 candidates costs about as much as training on 17.

    Args:
        model: Answer-selection model, with `in_batch_model`.
        hardest: Wrong answers per question that are trained on; None trains on all that were sampled.

    Call arguments:
        inputs: Dict `question_ids`, `answer_ids`, `labels` (1 right, 0 wrong, -1 not to be counted): labels stand
            among the inputs, since the choice needs them. `with_labels(dataset)` puts them there.

    Returns:
        Dict `similarity` and `labels`, both `(batch, candidates trained on)`.

    Reference: dos Santos et al. 2016, "Attentive Pooling Networks", section 5.2.
    """

    def __init__(self, model, hardest=1, **kwargs):
        # The model's policy, for the scaling of the loss; labels and similarities stay as they come.
        super().__init__(**{"dtype": model.dtype_policy, "autocast": False, **kwargs})
        if hardest is not None and hardest < 1:
            raise ValueError(f"`hardest` must be at least 1, or None for all. Received: hardest={hardest}")
        self.selection_model = model
        self.hardest = hardest
        in_batch_model = model.in_batch_model
        # The same layers once more: not to be tracked, or they would be counted and saved twice.
        object.__setattr__(self, "_in_batch_model", in_batch_model)
        self.built = True

    def call(self, inputs, training=None):
        """Return similarities and labels of what is trained on; see the class."""
        labels = inputs["labels"]
        sides = {"question_ids": inputs["question_ids"], "answer_ids": inputs["answer_ids"]}
        if len(sides["answer_ids"].shape) == 2:
            return {"similarity": self._in_batch_model(sides, training=training), "labels": labels}
        if training and self.hardest is not None:
            scores = ops.stop_gradient(self.selection_model(sides, training=False))
            chosen = self._choose(scores, labels)
            sides["answer_ids"] = ops.take_along_axis(sides["answer_ids"], chosen[..., None], axis=1)
            labels = ops.take_along_axis(labels, chosen, axis=1)
        return {"similarity": self.selection_model(sides, training=training), "labels": labels}

    def _choose(self, scores, labels):
        """Return the places of the best-scoring right answer and of the hardest wrong ones, `(batch, 1 + hardest)`."""
        labels = ops.cast(labels, "int32")
        right = ops.argmax(ops.where(labels == 1, scores, -2.0), axis=1)[:, None]
        _, wrong = ops.top_k(ops.where(labels == 0, scores, -2.0), self.hardest)
        return ops.concatenate([ops.cast(right, "int32"), ops.cast(wrong, "int32")], axis=1)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Return the compiled loss on the candidates trained on."""
        return super().compute_loss(x, y_pred["labels"], y_pred["similarity"], sample_weight, training)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Return the compiled metrics on the candidates trained on."""
        return super().compute_metrics(x, y_pred["labels"], y_pred["similarity"], sample_weight)


def with_labels(dataset):
    """Put the labels of batches `(inputs, labels)` among the inputs, where `AnswerSelectionTrainer` wants them.

    Args:
        dataset: `tf.data.Dataset`, or any object whose `map` takes a function of inputs and labels.

    Returns:
        The dataset of `({**inputs, "labels": labels}, labels)`.
    """
    return dataset.map(lambda inputs, labels: ({**inputs, "labels": labels}, labels))
