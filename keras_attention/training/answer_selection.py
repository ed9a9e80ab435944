"""Training of an answer-selection model: compile, fit, keep the best on a held-out part, resume after a kill."""

import dataclasses

import keras
from keras import ops

from keras_attention.losses.in_batch_softmax_loss import InBatchSoftmaxLoss
from keras_attention.losses.triplet_margin_loss import TripletMarginLoss
from keras_attention.metrics.active_triplet_fraction import ActiveTripletFraction
from keras_attention.metrics.mean_hardest_wrong_similarity import MeanHardestWrongSimilarity
from keras_attention.metrics.mean_right_similarity import MeanRightSimilarity
from keras_attention.training.adam import adam_class
from keras_attention.training.answer_selection_trainer import AnswerSelectionTrainer, with_labels
from keras_attention.training.best_and_last import BestAndLast
from keras_attention.training.checkpoint import TrainingCheckpoint
from keras_attention.training.precision import check_jit_compile, check_precision, compile_for_training
from keras_attention.training.processes import answer_selection_of_process, is_first_process, refuse_clocks
from keras_attention.training.replicas import clipping_the_sum, scope_of, share_answer_selection, strategy_of

_CHOICES = {
    "loss": ("softmax", "triplet"),
    "optimizer": ("adam", "sgd"),
    "schedule": ("constant", "cosine", "divided_by_epoch"),
}


@dataclasses.dataclass(frozen=True)
class AnswerSelectionTraining:
    """How an answer-selection model is trained: every number of it.

    The defaults are what works well with in-batch wrong answers. The paper's way with sampled ones is
    `loss="triplet", optimizer="sgd", learning_rate=1.1, schedule="divided_by_epoch", clip_norm=0` and the margin of the
    model's `PAPER_TRAINING`.

    Args:
        epochs: Passes over the training data.
        loss: `"softmax"`, a right answer against all wrong ones (`InBatchSoftmaxLoss`), or `"triplet"`
            (`TripletMarginLoss`).
        temperature: Of the softmax, in units of similarity: 0.05 multiplies cosines by 20.
        symmetric: Whether the softmax also asks each answer for its question. For in-batch wrong answers without
            further columns from pools.
        margin: Of the triplet loss, in units of similarity.
        mining: Of the triplet loss: `"hardest"`, `"all"` or `"semi_hard"` among the candidates trained on.
        hardest: With sampled wrong answers, how many of the best-scoring ones are trained on; None for all.
        optimizer: `"adam"` or `"sgd"`.
        learning_rate: First learning rate, after the warm-up.
        schedule: `"constant"`; `"cosine"`, down to zero at the last epoch; or `"divided_by_epoch"`, the paper's: rate
            over the number of the epoch, from 1.
        warmup_steps: Steps over which the rate rises from 0. For `"cosine"`.
        clip_norm: Upper bound of the gradient's global norm; 0 does not clip.
        weight_decay: Decoupled weight decay per step, times the learning rate; 0 for none. Adam only.
        average_decay: Decay of the moving average of the weights that is evaluated and kept; 0 keeps the weights as
            they are.
        monitor: Figure of the held-out part that decides which epoch is best: `"mrr"`, `"accuracy_at_1"`, or another
            key of what `evaluate` returns.
        patience: Epochs without a better figure after which training ends; 0 trains to the last epoch.
        minutes: Time after which no further epoch is begun; 0 for no limit. Counted across resumptions.
        precision: `"float32"`, `"mixed_float16"` or `"mixed_bfloat16"`: the policy under which the model was made, see
            `set_precision`.
        jit_compile: Whether the step is compiled by XLA; `"auto"` takes what works (`choose_jit_compile`) and says so
            in the log.
        seed: Seed of initial weights, data order and dropout, for whoever makes model and data.

    Raises:
        ValueError: if a value is out of its range.
    """

    epochs: int = 20
    loss: str = "softmax"
    temperature: float = 0.05
    symmetric: bool = False
    margin: float = 0.2
    mining: str = "hardest"
    hardest: int | None = 1
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    warmup_steps: int = 0
    clip_norm: float = 1.0
    weight_decay: float = 0.0
    average_decay: float = 0.0
    monitor: str = "mrr"
    patience: int = 0
    minutes: float = 0.0
    precision: str = "float32"
    jit_compile: bool | str = "auto"
    seed: int = 1

    def __post_init__(self):
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"`{name}` must be one of {allowed}. Received: {name}={getattr(self, name)!r}")
        check_precision(self.precision)
        check_jit_compile(self.jit_compile)
        if self.epochs < 1:
            raise ValueError(f"`epochs` must be at least 1. Received: epochs={self.epochs}")
        for name in ("learning_rate", "temperature", "margin"):
            if not getattr(self, name) > 0:
                raise ValueError(f"`{name}` must be positive. Received: {name}={getattr(self, name)}")
        if not 0 <= self.average_decay < 1:
            raise ValueError(f"`average_decay` must be in [0, 1). Received: average_decay={self.average_decay}")
        for name in ("warmup_steps", "clip_norm", "weight_decay", "patience", "minutes"):
            if getattr(self, name) < 0:
                raise ValueError(f"`{name}` must not be negative. Received: {name}={getattr(self, name)}")


def make_loss(training, reduction="sum_over_batch_size"):
    """Return the loss that `training` describes."""
    if training.loss == "triplet":
        return TripletMarginLoss(training.margin, training.mining, reduction=reduction)
    return InBatchSoftmaxLoss(training.temperature, training.symmetric, reduction=reduction)


def make_metrics(training):
    """Return the metrics that watch the training: how far apart right and hardest wrong similarities are."""
    metrics = [MeanRightSimilarity(), MeanHardestWrongSimilarity()]
    if training.loss == "triplet":
        metrics.append(ActiveTripletFraction(training.margin, training.mining))
    return metrics


def make_optimizer(training, steps_per_epoch):
    """Return the optimiser that `training` describes.

    Args:
        training: An `AnswerSelectionTraining`.
        steps_per_epoch: Batches of an epoch, which the schedules count in.
    """
    rate = training.learning_rate
    total = training.epochs * steps_per_epoch
    if training.schedule == "cosine":
        warmup = min(training.warmup_steps, max(total - 1, 0))
        rate = keras.optimizers.schedules.CosineDecay(
            0.0 if warmup else rate, max(total - warmup, 1), warmup_target=rate if warmup else None, warmup_steps=warmup
        )
    elif training.schedule == "divided_by_epoch":
        rate = _DividedByEpoch(rate, steps_per_epoch)
    options = {
        "learning_rate": rate,
        "global_clipnorm": training.clip_norm or None,
        "use_ema": bool(training.average_decay),
        "ema_momentum": training.average_decay or 0.99,
    }
    if training.optimizer == "sgd":
        return clipping_the_sum(keras.optimizers.SGD)(**options)
    return clipping_the_sum(adam_class())(weight_decay=training.weight_decay or None, **options)


def fit_answer_selection(
    model,
    make_dataset,
    steps_per_epoch,
    training,
    workdir,
    evaluate,
    callbacks=(),
    verbose="auto",
    until_epoch=None,
):
    """Train an answer-selection model, or go on training it, and leave the best weights in it.

    Which wrong answers there are is the data's choice: batches with answers `(batch, candidates, length)` are sampled
    ones, with `(answers, length)` in-batch ones (`AnswerSelectionTrainer`).

    Args:
        model: One of the four models. Made under a `tf.distribute.MirroredStrategy`, it is trained on all of its
            devices, with the numbers of one (see `keras_attention.training.replicas`).
        make_dataset: Callable that takes the first epoch and returns an endless dataset from there on, of
            `({"question_ids", "answer_ids"}, labels)`, as `answer_selection_dataset(..., first_epoch=epoch)` gives it.
        steps_per_epoch: Batches of an epoch.
        training: An `AnswerSelectionTraining`.
        workdir: Folder of this run (`claim_workdir`), a `pathlib.Path`. Gets `last.npz`, written after every epoch,
            `best.weights.h5` of the model and `history.csv`.
        evaluate: Callable without arguments that returns a dict with `training.monitor`, of a part held out of
            training, and not of the set that is reported. Called after every epoch, with the averaged weights in the
            model if there is an average.
        callbacks: Further Keras callbacks.
        verbose: As in `model.fit`.
        until_epoch: Epoch to stop after, on the way to `training.epochs`, whose schedule stays as it is: the same call
            with a later one goes on as if there had been no stop. None for no stop.

    Returns:
        A dict: `best_<monitor>`, `best_epoch` (counted from 1), `epochs` and `seconds`, over all resumptions.

    Example:
    ```python
    rest, held_out = data.split(0.1)                                    # by question
    train, valid = (encode_answer_selection(d, ...) for d in (rest, held_out.with_random_pools(100)))
    options = {"negatives": "in_batch", "batch_size": 64, "right_answers": "all"}
    fit_answer_selection(
        model,
        lambda epoch: answer_selection_dataset(train, first_epoch=epoch, **options),
        answer_selection_steps(train, batch_size=64, right_answers="all"),
        AnswerSelectionTraining(epochs=10),
        claim_workdir("work/qa_cnn", {...}),
        evaluate,
    )
    ```
    """
    refuse_clocks(minutes=training.minutes)
    strategy = strategy_of(model)
    if strategy is not None and training.loss == "softmax" and training.symmetric:
        raise ValueError(
            "On several devices each one has a share of the questions, so answers cannot be asked for theirs. "
            "Received: symmetric=True"
        )
    with scope_of(strategy):
        trainer = AnswerSelectionTrainer(model, training.hardest)
    best_and_last = BestAndLast(
        TrainingCheckpoint(workdir / "last.npz"),
        workdir / "best.weights.h5",
        evaluate,
        patience=training.patience,
        minutes=training.minutes,
        monitor=training.monitor,
        kept=model,
    )
    with scope_of(strategy):
        compile_for_training(
            trainer,
            training,
            optimizer=make_optimizer(training, steps_per_epoch),
            loss=make_loss(training, "sum_over_batch_size" if strategy is None else "sum"),
            metrics=make_metrics(training),
        )
    first_epoch = best_and_last.resume(trainer) if best_and_last.checkpoint.exists() else 0
    last_epoch = training.epochs if until_epoch is None else min(until_epoch, training.epochs)
    if first_epoch < last_epoch and not best_and_last.finished:
        dataset = with_labels(make_dataset(first_epoch))
        trainer.fit(
            answer_selection_of_process(dataset) if strategy is None else share_answer_selection(dataset, strategy),
            steps_per_epoch=steps_per_epoch,
            initial_epoch=first_epoch,
            epochs=last_epoch,
            shuffle=False,  # the data come shuffled
            callbacks=[
                best_and_last,  # first: it puts its figures into the logs that the others write
                *_logs(workdir, first_epoch),
                *callbacks,
            ],
            verbose=verbose,
        )
    return best_and_last.finish(model)


def _logs(workdir, first_epoch):
    if not is_first_process():
        return []
    return [keras.callbacks.CSVLogger(workdir / "history.csv", append=first_epoch > 0)]


@keras.saving.register_keras_serializable(package="keras_attention")
class _DividedByEpoch(keras.optimizers.schedules.LearningRateSchedule):
    """The paper's schedule: the first rate over the number of the epoch, counted from 1."""

    def __init__(self, rate, steps_per_epoch):
        self.rate = rate
        self.steps_per_epoch = steps_per_epoch

    def __call__(self, step):
        return self.rate / (1.0 + ops.floor(ops.cast(step, "float32") / self.steps_per_epoch))

    def get_config(self):
        return {"rate": self.rate, "steps_per_epoch": self.steps_per_epoch}
