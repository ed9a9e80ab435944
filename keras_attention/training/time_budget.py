"""Training for a given time: the learning rate follows the clock."""

import math
import time

import keras


class TimeBudget(keras.callbacks.Callback):
    """End training when its time is over, with the learning rate at the end of its cosine just then.

    ```
    rate = peak * min(1, step / warmup_steps) * (1 + cos(pi * elapsed / budget)) / 2
    ```

    A slow machine makes fewer steps than a fast one, and each gets a whole schedule. Such a run is not reproducible bit
    for bit: the number of steps depends on the machine. Time spent on validation does not count.

    Args:
        minutes: The budget.
        learning_rate: The peak.
        warmup_steps: Steps over which the rate rises.
        minutes_spent: Already used, before a resumption.
        steps_done: Already made, before a resumption.
    """

    def __init__(self, minutes, learning_rate, warmup_steps=0, minutes_spent=0.0, steps_done=0):
        super().__init__()
        self.seconds = 60 * minutes
        self.learning_rate = learning_rate
        self.warmup_steps = warmup_steps
        self.elapsed = 60 * minutes_spent
        self.step = steps_done
        self._since = None

    def on_epoch_begin(self, epoch, logs=None):
        self._since = time.monotonic()

    def on_train_batch_begin(self, batch, logs=None):
        now = time.monotonic()
        self.elapsed, self._since = self.elapsed + now - self._since, now
        self.step += 1
        share = min(self.elapsed / self.seconds, 1.0)
        warmup = min(self.step / self.warmup_steps, 1.0) if self.warmup_steps else 1.0
        self.model.optimizer.learning_rate = self.learning_rate * warmup * (1 + math.cos(math.pi * share)) / 2

    def on_train_batch_end(self, batch, logs=None):
        if self.elapsed >= self.seconds:
            self.model.stop_training = True

    @property
    def is_over(self):
        """Whether the time is used up."""
        return self.elapsed >= self.seconds
