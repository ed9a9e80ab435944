"""Hyperband, random and Bayesian search as KerasTuner has them, with a budget, and state that outlives a kill."""

import json
import os
import time
from pathlib import Path

import numpy as np

from keras_attention.tuning.engine import keras_tuner

METHODS = ("hyperband", "random", "bayesian")


def make_oracle(method, objective, *, seed=1, trials=None, minutes=None, max_epochs=None, factor=3):
    """Return what proposes the trials.

    - `"hyperband"` (Li et al. 2018): many trials of few epochs, of which the best go on to more. One sweep over its
      brackets without a budget, else sweeps until the budget is used up.
    - `"random"`: every trial is drawn anew.
    - `"bayesian"`: drawn at first, then where a Gaussian process over the trials so far expects most.

    The first trial of all three is the configuration that the search starts from, as near as the space has it.

    Args:
        method: One of the three.
        objective: Name of the figure that is made as large as possible.
        seed: Of the draws.
        trials: Trials to begin at most; None for no limit. A Hyperband trial that goes on counts as a new one.
        minutes: Time after which no further trial is begun, over all resumptions; None for no limit.
        max_epochs: Epochs of a whole training. Hyperband.
        factor: Hyperband keeps one of so many trials, and gives it so many times the epochs.

    Returns:
        A `keras_tuner.Oracle`.

    Raises:
        ValueError: If an argument is out of its range, or there is neither budget nor an end of its own.

    Example:
    >>> make_oracle("random", "mrr", trials=10).objective.direction
    'max'
    """
    if method not in METHODS:
        raise ValueError(f"Expected a method among {', '.join(METHODS)}. Received: method={method!r}")
    for name, value in (("trials", trials), ("minutes", minutes)):
        if value is not None and not value > 0:
            raise ValueError(f"`{name}` must be positive. Received: {name}={value}")
    bounded = trials is not None or minutes is not None
    options = {"objective": keras_tuner.Objective(objective, "max"), "seed": seed}
    if method == "hyperband":
        if not max_epochs or max_epochs < 1 or factor < 2:
            raise ValueError(
                "Hyperband wants `max_epochs` of at least 1 and a `factor` of at least 2. "
                f"Received: max_epochs={max_epochs}, factor={factor}"
            )
        iterations = None if bounded else 1
        oracle = _Hyperband(max_epochs=max_epochs, factor=factor, hyperband_iterations=iterations, **options)
    elif not bounded:
        raise ValueError(f"A {method} search has no end of its own: give `trials` or `minutes`. Received: neither")
    else:
        oracle = {"random": _Random, "bayesian": _Bayesian}[method](max_trials=None, **options)
    oracle.trial_budget, oracle.minutes = trials, minutes
    return oracle


def write_json(path, content):
    """Write a JSON file, whole or not at all."""
    temporary = f"{path}.partial"
    Path(temporary).write_text(json.dumps(content), encoding="utf-8")
    os.replace(temporary, path)


class _Lasting:
    """What the oracles get besides: the two budgets, the first trial, and files that a kill leaves whole.

    It reaches into KerasTuner: `_random_values` is where all three draw, `_save_trial` and `save` are where they write.
    """

    trial_budget = None
    minutes = None
    _spent = 0.0  # seconds, before this process
    _since = None

    def start_clock(self):
        """Begin to count the minutes, if they are not counted yet."""
        if self._since is None:
            self._since = time.monotonic()

    @property
    def seconds(self):
        """Time of the search so far, over all resumptions."""
        return self._spent + (time.monotonic() - self._since if self._since is not None else 0.0)

    @property
    def is_over(self):
        """Whether a budget is used up."""
        if self.trial_budget is not None and len(self.trials) >= self.trial_budget:
            return True
        return self.minutes is not None and self.seconds >= 60 * self.minutes

    def populate_space(self, trial_id):
        return {"status": "STOPPED"} if self.is_over else super().populate_space(trial_id)

    def _random_values(self):
        if self._tried_so_far:
            return super()._random_values()
        first = keras_tuner.HyperParameters()
        for hp in self.hyperparameters.space:
            first.merge([hp])
            if first.is_active(hp):
                first.values[hp.name] = hp.default
        return first.values

    @keras_tuner.synchronized
    def end_trial(self, trial):
        super().end_trial(trial)
        self.save()  # KerasTuner saves before it takes the trial from those that run

    def get_state(self):
        return {**super().get_state(), "seconds": self.seconds}

    def set_state(self, state):
        super().set_state(state)
        self._spent = state["seconds"]

    def save(self):
        write_json(self._get_oracle_fname(), self.get_state())

    def _save_trial(self, trial):
        write_json(os.path.join(self._get_trial_dir(trial.trial_id), "trial.json"), trial.get_state())

    def reload(self):
        super().reload()
        # A kill between two files leaves a trial that the oracle does not know, which is drawn again, or one that has
        # ended and is listed as running. The order is that of the start, not that of the folder.
        self.trials = {trial_id: self.trials[trial_id] for trial_id in self.start_order}
        self._retry_queue = [trial_id for trial_id in self._retry_queue if trial_id not in self.end_order]


class _Hyperband(_Lasting, keras_tuner.oracles.HyperbandOracle):
    def set_state(self, state):
        iterations = self.hyperband_iterations
        super().set_state(state)
        self.hyperband_iterations = iterations  # it depends on the budget, which may be another one now


class _Random(_Lasting, keras_tuner.oracles.RandomSearchOracle):
    pass


class _Bayesian(_Lasting, keras_tuner.oracles.BayesianOptimizationOracle):
    def populate_space(self, trial_id):
        # The state of this generator is not in what is saved: made anew for every trial, it needs none.
        self._random_state = np.random.RandomState([self.seed, len(self.trials)])
        return super().populate_space(trial_id)
