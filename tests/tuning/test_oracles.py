"""Hyperband, random and Bayesian search: the first trial, the budgets, and state that outlives a kill."""

import json

import keras_tuner
import pytest
from tuning.counting_search import CONFIGURATION, SPACE

from keras_attention.tuning import make_oracle
from keras_attention.tuning.translation import TranslationHyperModel


def make(folder, method, trials=None, minutes=None, max_epochs=9):
    oracle = make_oracle(method, "bleu", seed=5, trials=trials, minutes=minutes, max_epochs=max_epochs)
    hp = oracle.get_space()
    TranslationHyperModel(CONFIGURATION, space=SPACE).declare_hyperparameters(hp)
    oracle.update_space(hp)
    oracle.verbose = 0
    oracle._set_project_dir(str(folder), "trials")
    if (folder / "trials" / "oracle.json").exists():
        oracle.reload()
    oracle.start_clock()
    return oracle


def score(trial):
    values = trial.hyperparameters.values
    return values["model.units"] - 900 * abs(values["training.learning_rate"] - 0.02) + values.get("tuner/epochs", 9)


def step(oracle):
    """Run one trial; return False when there are no more."""
    trial = oracle.create_trial("tuner0")
    if trial.status == "STOPPED":
        return False
    oracle.update_trial(trial.trial_id, {"bleu": score(trial)})
    trial.status = "COMPLETED"
    oracle.end_trial(trial)
    return True


def outcome(oracle):
    return [(t.trial_id, t.hyperparameters.values, t.score, t.status) for t in oracle.trials.values()]


@pytest.mark.parametrize("method", ["hyperband", "random", "bayesian"])
def test_a_killed_search_draws_what_it_would_have(method, tmp_path):
    """Killed after a trial began, between its two files, and after it ended."""
    whole = make(tmp_path / "whole", method, trials=10)
    while step(whole):
        pass
    assert len(whole.trials) == 10
    assert whole.trials["0000"].hyperparameters.values["model.units"] == CONFIGURATION["model"]["units"]

    cut = tmp_path / "cut"
    for _ in range(3):
        step(make(cut, method, trials=10))
    make(cut, method, trials=10).create_trial("tuner0")  # killed while it ran
    oracle = make(cut, method, trials=10)
    assert len(oracle._retry_queue) == 1
    step(oracle)
    oracle = make(cut, method, trials=10)
    oracle.save = lambda: None  # killed after the trial's file was written, before the oracle's
    oracle.create_trial("tuner0")
    assert len(list(cut.glob("trials/trial_*"))) == 5
    oracle = make(cut, method, trials=10)
    assert len(oracle.trials) == 4
    while step(oracle):
        oracle = make(cut, method, trials=10)
    assert outcome(oracle) == outcome(whole)


def test_hyperband_without_a_budget_makes_one_sweep(tmp_path):
    oracle = make(tmp_path, "hyperband")
    while step(oracle):
        pass
    epochs = [trial.hyperparameters.values["tuner/epochs"] for trial in oracle.trials.values()]
    assert sorted(epochs) == [1] * 9 + [3] * 3 + [3] * 5 + [9] * 1 + [9] * 2 + [9] * 3
    promoted = [t.hyperparameters.values for t in oracle.trials.values() if t.hyperparameters.values["tuner/round"]]
    for values in promoted:
        earlier = oracle.trials[values["tuner/trial_id"]].hyperparameters.values
        assert values["model.units"] == earlier["model.units"]
        assert values["tuner/initial_epoch"] == earlier["tuner/epochs"]


def test_minutes_are_counted_over_resumptions(tmp_path):
    oracle = make(tmp_path, "random", minutes=2)
    oracle._since -= 60
    assert step(oracle)
    oracle = make(tmp_path, "random", minutes=2)
    assert oracle.seconds >= 60
    oracle._since -= 60
    assert not step(oracle)
    assert step(make(tmp_path, "random", minutes=5))


def test_more_trials_than_before(tmp_path):
    while step(oracle := make(tmp_path, "random", trials=2)):
        pass
    assert len(oracle.trials) == 2
    while step(oracle := make(tmp_path, "random", trials=4)):
        pass
    assert [trial for trial, *_ in outcome(oracle)] == ["0000", "0001", "0002", "0003"]


def test_what_is_written_is_whole(tmp_path):
    oracle = make(tmp_path, "bayesian", trials=4)
    while step(oracle):
        for path in tmp_path.rglob("*.json"):
            json.loads(path.read_text())
    assert not list(tmp_path.rglob("*.partial"))


def test_a_bayesian_search_learns(tmp_path):
    """Drawn three times as often as there are options, then it must know where it is good."""
    oracle = make(tmp_path, "bayesian", trials=14)
    while step(oracle):
        pass
    scores = [trial.score for trial in oracle.trials.values()]
    assert max(scores[6:]) > max(scores[:6])


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        ({"method": "grid"}, "method='grid'"),
        ({"method": "random"}, "no end of its own"),
        ({"method": "random", "trials": 0}, "trials=0"),
        ({"method": "bayesian", "minutes": -1}, "minutes=-1"),
        ({"method": "hyperband"}, "max_epochs=None"),
        ({"method": "hyperband", "max_epochs": 9, "factor": 1}, "factor=1"),
    ],
)
def test_bad_arguments(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        make_oracle(objective="bleu", **arguments)


def test_the_objective_is_to_be_large():
    assert make_oracle("random", "mrr", trials=1).objective == keras_tuner.Objective("mrr", "max")
