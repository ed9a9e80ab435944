"""A chief and two workers over gRPC on loopback; one worker is killed and replaced."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tuning.counting_search import make_tuner

from keras_attention.tuning import read_results

TESTS = Path(__file__).parents[1]
TRIALS = 10
SECONDS = 900


@pytest.mark.extended
@pytest.mark.parametrize("method", ["random", "hyperband"])
def test_a_chief_and_two_workers_of_which_one_is_killed_and_replaced(method, tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    until = time.monotonic() + SECONDS

    def start(name):
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]),
            "KERASTUNER_TUNER_ID": name,
            "KERASTUNER_ORACLE_IP": "127.0.0.1",
            "KERASTUNER_ORACLE_PORT": str(port),
        }
        command = [sys.executable, "-m", "tuning.counting_search", str(tmp_path), method, str(TRIALS), "0.5"]
        return subprocess.Popen(command, env=environment)

    def runs_of(process):
        """Folders of the trials that the processes of this one have trained, by the trial's name."""
        paths = tmp_path.glob("trials/trial_*/run/pids.txt")
        return {path.parts[-3]: path.parent for path in paths if f" {process.pid} from" in path.read_text()}

    def left_by(process):
        """Those that are not completed, with an epoch behind them where a trial has several."""
        return [
            name
            for name, run in runs_of(process).items()
            if "COMPLETED" not in (tmp_path / "trials" / name / "trial.json").read_text()
            and (method == "hyperband" or (run / "history.csv").exists())
        ]

    processes = {name: start(name) for name in ("chief", "worker0", "worker1")}
    try:
        victim = processes["worker1"]
        while not left_by(victim):
            assert victim.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
        (left,) = left_by(victim)
        processes["worker1"] = start("worker1")
        for process in processes.values():
            assert process.wait(timeout=max(until - time.monotonic(), 1)) == 0
    finally:
        for process in processes.values():
            if process.poll() is None:
                process.kill()
    results = read_results(tmp_path)
    assert [one.status for one in results] == ["COMPLETED"] * TRIALS
    assert [int(one.trial) for one in results] == list(range(TRIALS))
    # The replacement took up the trial that its predecessor had left, from the epoch where it was.
    taken_up = (tmp_path / "trials" / left / "run" / "pids.txt").read_text().splitlines()
    assert f" {processes['worker1'].pid} from epoch" in taken_up[-1]
    if method == "random":
        assert not taken_up[-1].endswith("from epoch 0")
    # Both worked, and no epoch was trained twice into the record.
    assert runs_of(processes["worker0"])
    for one in results:
        epochs = [line.split(",")[0] for line in (one.folder / "run" / "history.csv").read_text().splitlines()[1:]]
        assert epochs == [str(number) for number in range(one.epochs)]
    # A search in one process goes on with what the chief left: there is nothing to do.
    make_tuner(tmp_path, method, TRIALS, pause=0.5).search()
    assert len(read_results(tmp_path)) == TRIALS
