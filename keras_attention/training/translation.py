"""Training of a translation model: compile, fit, keep the best by validation BLEU, resume after a kill."""

import contextlib
import dataclasses

import keras

from keras_attention.losses.token_cross_entropy import TokenCrossEntropy
from keras_attention.training.adam import adam_class
from keras_attention.training.best_and_last import BestAndLast
from keras_attention.training.checkpoint import TrainingCheckpoint
from keras_attention.training.chunked_loss_trainer import ChunkedLossTrainer
from keras_attention.training.precision import check_jit_compile, check_precision, compile_for_training
from keras_attention.training.processes import is_first_process, refuse_clocks, translation_of_process
from keras_attention.training.replicas import clipping_the_sum, scope_of, share_translation, strategy_of
from keras_attention.training.time_budget import TimeBudget

OPTIMIZERS = ("adam", "adadelta", "sgd")
SCHEDULES = ("constant", "cosine", "cosine_over_minutes", "inverse_sqrt")


@dataclasses.dataclass(frozen=True)
class TranslationTraining:
    """How a translation model is trained: every number of it.

    Args:
        epochs: Passes over the training data.
        optimizer: `"adam"`, `"adadelta"` (Bahdanau 2015: learning rate 1, rho 0.95, epsilon 1e-6) or `"sgd"`.
        learning_rate: Peak learning rate.
        schedule: `"constant"`; `"cosine"`, from the peak down to `final_learning_rate` at the last epoch;
            `"cosine_over_minutes"`, down to 0 when `minutes` are over (see `TimeBudget`: not reproducible bit for bit);
            or `"inverse_sqrt"`, falling with the square root of the steps after the warm-up.
        warmup_steps: Steps over which the rate rises from 0 to the peak.
        final_learning_rate: Where the cosine ends.
        halve_after: Epochs without a better validation BLEU after which the rate is halved; 0 never halves. For the
            `"constant"` schedule.
        clip_norm: Upper bound of the gradient's global norm (1 in Bahdanau 2015); 0 does not clip.
        label_smoothing: Share of the target given to the uniform distribution.
        loss_chunk: Target positions whose logits are held at a time (`ChunkedLossTrainer`): the same loss and
            gradients, in far less memory where the vocabulary is large. 0 holds all of a batch. On one device.
        average_decay: Decay of the moving average of the weights that is evaluated and kept; 0 keeps the weights as
            they are.
        patience: Epochs without a better validation BLEU after which training ends; 0 trains to the last epoch.
        minutes: Time after which no further epoch is begun; 0 for no limit. Time is counted across resumptions.
        precision: `"float32"`, `"mixed_float16"` or `"mixed_bfloat16"`: the policy under which the model was made, see
            `set_precision`.
        jit_compile: Whether the step is compiled by XLA; `"auto"` takes what works (`choose_jit_compile`) and says so
            in the log. On CPUs the fused loops are as fast without it.
        seed: Seed of initial weights, data order and dropout. The same seed gives the same run, bit for bit, on one
            machine.

    Raises:
        ValueError: If a value is out of its range.
    """

    epochs: int = 20
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    warmup_steps: int = 200
    final_learning_rate: float = 0.0
    halve_after: int = 0
    clip_norm: float = 1.0
    label_smoothing: float = 0.1
    loss_chunk: int = 0
    average_decay: float = 0.0
    patience: int = 0
    minutes: float = 0.0
    precision: str = "float32"
    jit_compile: bool | str = "auto"
    seed: int = 1

    def __post_init__(self):
        for name, allowed in (("optimizer", OPTIMIZERS), ("schedule", SCHEDULES)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"`{name}` must be one of {allowed}. Received: {name}={getattr(self, name)!r}")
        check_precision(self.precision)
        check_jit_compile(self.jit_compile)
        if self.epochs < 1:
            raise ValueError(f"`epochs` must be at least 1. Received: epochs={self.epochs}")
        if not self.learning_rate > 0:
            raise ValueError(f"`learning_rate` must be positive. Received: learning_rate={self.learning_rate}")
        if not 0 <= self.average_decay < 1:
            raise ValueError(f"`average_decay` must be in [0, 1). Received: average_decay={self.average_decay}")
        for name in ("loss_chunk", "warmup_steps", "halve_after", "clip_norm", "patience", "minutes"):
            if getattr(self, name) < 0:
                raise ValueError(f"`{name}` must not be negative. Received: {name}={getattr(self, name)}")
        if self.schedule == "cosine_over_minutes" and not self.minutes:
            raise ValueError("The schedule 'cosine_over_minutes' needs `minutes`. Received: minutes=0")
        if self.halve_after and self.schedule != "constant":
            raise ValueError(
                "`halve_after` goes with the constant schedule. "
                f"Received: halve_after={self.halve_after}, schedule={self.schedule!r}"
            )


def make_loss(training, **options):
    """Return the loss that `training` describes; `options` are further arguments of `TokenCrossEntropy`."""
    return TokenCrossEntropy(label_smoothing=training.label_smoothing, **options)


def make_optimizer(training, steps_per_epoch):
    """Return the optimiser that `training` describes.

    Args:
        training: A `TranslationTraining`.
        steps_per_epoch: Batches of an epoch, which the cosine schedule needs.
    """
    rate = training.learning_rate
    total = training.epochs * steps_per_epoch
    if training.schedule == "cosine":
        warmup = min(training.warmup_steps, max(total - 1, 0))
        rate = keras.optimizers.schedules.CosineDecay(
            0.0 if warmup else rate,
            decay_steps=max(total - warmup, 1),
            alpha=training.final_learning_rate / training.learning_rate,
            warmup_target=training.learning_rate if warmup else None,
            warmup_steps=warmup,
        )
    elif training.schedule == "inverse_sqrt":
        rate = _InverseSquareRoot(training.learning_rate, max(training.warmup_steps, 1))
    options = {
        "learning_rate": rate,
        "global_clipnorm": training.clip_norm or None,
        "use_ema": bool(training.average_decay),
        "ema_momentum": training.average_decay or 0.99,
    }
    if training.optimizer == "adadelta":
        return clipping_the_sum(keras.optimizers.Adadelta)(rho=0.95, epsilon=1e-6, **options)
    if training.optimizer == "sgd":
        return clipping_the_sum(keras.optimizers.SGD)(**options)
    return clipping_the_sum(adam_class())(**options)


def fit_translation(
    model, data, training, workdir, evaluate, callbacks=(), verbose="auto", until_epoch=None, monitor="bleu"
):
    """Train a translation model, or go on training it, and leave the best weights in it.

    Args:
        model: A translation model, not compiled. Made under a `tf.distribute.MirroredStrategy`, it is trained on all of
            its devices, with the numbers of one (see `keras_attention.training.replicas`).
        data: The training data: an object with `dataset`, endless, whose epochs begin at any point (see
            `first_epoch` of `translation_dataset`), and `steps_per_epoch`; or a callable that takes the first epoch and
            returns one, called once it is known where to go on.
        training: A `TranslationTraining`.
        workdir: Folder of this run (`claim_workdir`). Gets `last.npz`, written after every epoch, `best.weights.h5`,
            `history.csv` and `tensorboard/`.
        evaluate: Callable without arguments that returns a dict with `monitor`, and whatever else is to be logged.
            Called after every epoch, with the averaged weights in the model if there is an average; where several
            processes train together in each of them, and must return the same in all.
        callbacks: Further Keras callbacks.
        verbose: As in `model.fit`.
        until_epoch: Epoch to stop after, on the way to `training.epochs`, whose schedule stays as it is: the same call
            with a later one goes on as if there had been no stop. None for no stop.
        monitor: Key of the figure that decides which epoch is best, the larger the better.

    Returns:
        A dict: `best_<monitor>`, `best_epoch` (counted from 1), `epochs` and `seconds`, over all resumptions.
    """
    checkpoint = TrainingCheckpoint(workdir / "last.npz")
    best_and_last = BestAndLast(
        checkpoint,
        workdir / "best.weights.h5",
        evaluate,
        patience=training.patience,
        halve_after=training.halve_after,
        minutes=training.minutes,
        monitor=monitor,
        kept=model,
    )
    refuse_clocks(minutes=training.minutes)
    by_time = training.schedule == "cosine_over_minutes"
    first_epoch = 0
    data = data if not callable(data) else data(checkpoint.peek()["epoch"] if checkpoint.exists() else 0)
    strategy = strategy_of(model)
    if strategy is not None and training.loss_chunk:
        raise ValueError(
            "The loss in chunks is for one device. "
            f"Received: loss_chunk={training.loss_chunk}, a model made for {strategy.num_replicas_in_sync} devices"
        )
    with scope_of(strategy):
        trainer, loss = model, make_loss(training, **({} if strategy is None else {"reduction": "sum"}))
        if training.loss_chunk:
            trainer, loss = ChunkedLossTrainer(model, training.label_smoothing, training.loss_chunk), None
        compile_for_training(trainer, training, optimizer=make_optimizer(training, data.steps_per_epoch), loss=loss)
    if checkpoint.exists():
        first_epoch = best_and_last.resume(trainer)
    budget = []
    if by_time:
        steps_done = int(trainer.optimizer.iterations)
        spent = best_and_last.record.get("training_seconds", 0.0) / 60
        budget = [TimeBudget(training.minutes, training.learning_rate, training.warmup_steps, spent, steps_done)]
        best_and_last.budget = budget[0]
    last_epoch = training.epochs if until_epoch is None else min(until_epoch, training.epochs)
    if first_epoch < last_epoch and not best_and_last.finished:
        trainer.fit(
            translation_of_process(data.dataset) if strategy is None else share_translation(data.dataset, strategy),
            steps_per_epoch=data.steps_per_epoch,
            initial_epoch=first_epoch,
            epochs=last_epoch,
            callbacks=[
                *budget,
                best_and_last,  # first: it puts its figures into the logs that the others write
                *(_logs(workdir, first_epoch) if is_first_process() else []),
                *callbacks,
            ],
            shuffle=False,  # the data come shuffled
            verbose=verbose,
        )
    return best_and_last.finish(model)


def _logs(workdir, first_epoch):
    logs = [keras.callbacks.CSVLogger(workdir / "history.csv", append=first_epoch > 0)]
    # Where the writer of this backend is not installed, the CSV log has the same figures.
    with contextlib.suppress(ImportError):
        logs.append(keras.callbacks.TensorBoard(workdir / "tensorboard", write_graph=False))
    return logs


@keras.saving.register_keras_serializable(package="keras_attention")
class _InverseSquareRoot(keras.optimizers.schedules.LearningRateSchedule):
    """`peak * min(step / warmup, sqrt(warmup / step))` (Vaswani et al. 2017, section 5.3, scaled to its peak)."""

    def __init__(self, peak, warmup_steps):
        self.peak = peak
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        step = keras.ops.cast(step, "float32") + 1.0
        return self.peak * keras.ops.minimum(step / self.warmup_steps, keras.ops.sqrt(self.warmup_steps / step))

    def get_config(self):
        return {"peak": self.peak, "warmup_steps": self.warmup_steps}
