"""After every epoch: evaluate, keep the best weights, keep what a resumption needs, decide whether to go on."""

import contextlib
import time

import keras

from keras_attention.training.processes import folder_to_write, is_first_process, wait_for_all


class BestAndLast(keras.callbacks.Callback):
    """Model selection by one figure of the validation set, with all of its memory in the checkpoint.

    Keras' own callbacks for early stopping, for lowering the rate and for the best checkpoint each keep a counter that
    is lost when a run is killed. Here one record holds them, and is saved with the weights. Where several processes
    train together each evaluates, the first one writes, and none goes on before that is done.

    Args:
        checkpoint: The `TrainingCheckpoint` to write after every epoch.
        best_path: File of the best weights, `.weights.h5`.
        evaluate: Callable without arguments, a dict with the `monitor`; its items join the logs as `val_<name>`.
        patience: Epochs without a better figure after which training ends; 0 never.
        halve_after: Epochs without a better figure after which the learning rate is halved; 0 never.
        minutes: Time after which no further epoch is begun; 0 for no limit.
        monitor: Key of the figure that decides, the larger the better: `"bleu"`, `"mrr"`.
        kept: Model whose best weights are kept, where a trainer around it is what `fit` runs; None: what `fit` runs.
    """

    def __init__(
        self, checkpoint, best_path, evaluate, patience=0, halve_after=0, minutes=0.0, monitor="bleu", kept=None
    ):
        super().__init__()
        self.checkpoint = checkpoint
        self.best_path = best_path
        self.evaluate = evaluate
        self.patience = patience
        self.halve_after = halve_after
        self.minutes = minutes
        self.monitor = monitor
        self.kept = kept
        self._best = f"best_{monitor}"
        self.record = {"epoch": 0, self._best: None, "best_epoch": 0, "seconds": 0.0, "finished": False}
        self.budget = None
        self._clock = None

    @property
    def finished(self):
        """Whether the run ended by itself, so that there is nothing to resume."""
        return self.record["finished"]

    def resume(self, model):
        """Restore the last checkpoint into the compiled model and return the epoch to go on with."""
        self.record = self.checkpoint.restore(model)
        return self.record["epoch"]

    def finish(self, model):
        """Put the best weights into the model and return the record of the run."""
        if self.record["best_epoch"]:
            model.load_weights(self.best_path)
        return {
            self._best: self.record[self._best],
            "best_epoch": self.record["best_epoch"],
            "epochs": self.record["epoch"],
            "seconds": self.record["seconds"],
        }

    def on_epoch_begin(self, epoch, logs=None):
        if self._clock is None:
            self._clock = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        record = self.record
        with averaged_weights(self.model):
            figures = self.evaluate()
            if record[self._best] is None or figures[self.monitor] > record[self._best]:
                record[self._best], record["best_epoch"] = figures[self.monitor], epoch + 1
                self._save_best()
        stalled = epoch + 1 - record["best_epoch"]
        if self.halve_after and stalled and stalled % self.halve_after == 0:
            rate = self.model.optimizer.learning_rate
            rate.assign(rate / 2)
        now = time.monotonic()
        record["seconds"] += now - self._clock
        self._clock = now
        record["epoch"] = epoch + 1
        if self.budget is not None:
            record["training_seconds"] = self.budget.elapsed
            out_of_time = self.budget.is_over
        else:
            out_of_time = self.minutes and record["seconds"] >= 60 * self.minutes
        if out_of_time or (self.patience and stalled >= self.patience):
            self.model.stop_training = True
            record["finished"] = True
        if is_first_process():
            self.checkpoint.save(self.model, record)
        wait_for_all(f"saved epoch {epoch}")
        if logs is not None:
            logs.update({f"val_{name}": value for name, value in figures.items()})
            logs["learning_rate"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
            logs["seconds"] = record["seconds"]

    def _save_best(self):
        with folder_to_write(self.best_path.parent) as folder:
            temporary = folder / ("partial." + self.best_path.name)
            (self.kept or self.model).save_weights(temporary)
            temporary.replace(folder / self.best_path.name)


@contextlib.contextmanager
def averaged_weights(model):
    """Within the block the model has the moving average of its weights, if its optimiser keeps one."""
    # Around an optimiser that scales the loss there is another one, which knows nothing of averages.
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if not optimizer.use_ema or not optimizer.built:
        yield
        return
    current = [keras.ops.copy(variable.value) for variable in model.trainable_variables]
    optimizer.finalize_variable_values(model.trainable_variables)
    if keras.backend.backend() == "jax":  # evaluation gives the variables' buffers away: the average keeps its own
        for variable in model.trainable_variables:
            variable.assign(keras.ops.copy(variable.value))
    try:
        yield
    finally:
        for variable, value in zip(model.trainable_variables, current):
            variable.assign(value)
