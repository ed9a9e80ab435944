"""The search itself, with trials that only count: goes on after a kill, promotes without loss, does not grow."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from tuning import counting_run
from tuning.counting_search import make_tuner

from keras_attention.tuning import best_result, read_results

TESTS = Path(__file__).parents[1]
KERAS = {"PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])}


def outcome(workdir):
    return [(one.trial, one.status, one.score, one.epochs, one.values) for one in read_results(workdir)]


def resident_megabytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """One sweep of Hyperband over 9 epochs, in one go."""
    workdir = tmp_path_factory.mktemp("sweep")
    make_tuner(workdir).search()
    return workdir


def test_promoted_trials_are_trained_as_if_they_had_never_stopped(sweep, tmp_path):
    results = read_results(sweep)
    whole = [one for one in results if one.epochs == 9]
    assert len(results) == 23
    assert len(whole) == 6
    promoted = 0
    for one in whole:
        text = (one.folder / "run" / "pids.txt").read_text()
        promoted += "from epoch 3" in text
        record = counting_run.train(one.config, tmp_path / one.trial)
        assert record["best_bleu"] == one.score
        straight = (tmp_path / one.trial / "history.csv").read_text()
        assert (one.folder / "run" / "history.csv").read_text() == straight
    assert promoted == 3
    assert best_result(results).epochs == 9


def test_the_first_trial_is_the_configuration_it_started_from(sweep):
    first = tomllib.loads(read_results(sweep)[0].config.read_text())
    assert first == make_tuner(sweep).hypermodel.configuration


def test_the_same_search_again_has_nothing_to_do(sweep):
    before = outcome(sweep)
    make_tuner(sweep).search()
    assert outcome(sweep) == before


@pytest.mark.parametrize(
    "method, trials, kills",
    [("hyperband", 11, [9]), pytest.param("bayesian", 9, [2, 5, 7], marks=pytest.mark.extended)],
)
def test_a_killed_search_goes_on_where_it_was(method, trials, kills, tmp_path):
    """SIGKILL in the middle of a trial, then the rest, and the whole is as if nothing had happened."""
    make_tuner(tmp_path / "whole", method, trials, pause=0.0).search()
    workdir = tmp_path / "cut"
    command = [sys.executable, "-m", "tuning.counting_search", str(workdir), method, str(trials), "0.2"]
    for wanted in kills:
        process = subprocess.Popen(command, env={**os.environ, **KERAS}, stdout=subprocess.DEVNULL)
        runs = workdir / "trials"
        until = time.monotonic() + 900
        while not any(runs.glob(f"trial_{wanted:04d}/run/pids.txt")):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    state = json.loads((workdir / "trials" / "oracle.json").read_text())
    assert len(state["end_order"]) < trials - 1
    make_tuner(workdir, method, trials, pause=0.2).search()
    assert outcome(workdir) == outcome(tmp_path / "whole")


@pytest.mark.parametrize("trials", [8, pytest.param(30, marks=pytest.mark.extended)])
def test_every_trial_has_a_process_of_its_own_and_the_search_does_not_grow(trials, tmp_path):
    sizes = []

    class Watch:
        def on_trial_begin(self, *_):
            pass

        def on_epoch(self, *_):
            pass

        def on_trial_end(self, *_):
            sizes.append(resident_megabytes())

    make_tuner(tmp_path, "random", trials, processes=True, watch=Watch()).search()
    pids = [one.folder.joinpath("run", "pids.txt").read_text().split() for one in read_results(tmp_path)]
    assert len({words[0] for words in pids}) == trials
    assert {words[1] for words in pids} == {str(os.getpid())}
    assert sizes[-1] - sizes[2] < 5


def test_a_trial_that_fails_is_left_out_and_says_why(tmp_path):
    tuner = make_tuner(tmp_path, "random", trials=4, units_that_fail=4)  # the first one
    tuner.search()
    results = read_results(tmp_path)
    assert [one.status for one in results] == ["FAILED", "COMPLETED", "COMPLETED", "COMPLETED"]
    assert "4 units are too many" in results[0].message
    assert results[0].score is None
    assert best_result(results).trial != "0000"
    with pytest.raises(ValueError, match=r"No trial was completed\. The last failure: [\s\S]*4 units"):
        best_result(results[:1])


def test_at_the_end_of_its_minutes_the_running_trial_is_kept_for_later(tmp_path):
    tuner = make_tuner(tmp_path, "random", minutes=0.1, processes=True, pause=60.0)
    begun = time.monotonic()
    tuner.search()
    assert time.monotonic() - begun < 300  # 6 s, and what a busy machine takes; the trial would take 540 s
    (one,) = read_results(tmp_path)
    assert one.status == "RUNNING"
    tuner = make_tuner(tmp_path, "random", trials=1, pause=60.0)
    assert [*tuner.oracle._retry_queue] == ["0000"]
