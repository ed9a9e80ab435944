"""A function in a process of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tuning import counting_run

from keras_attention.tuning.trial_process import run_in_process


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def wait_for(condition, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.05)


def test_it_returns_and_prints_into_its_log(tmp_path):
    seen = []
    pid = run_in_process(counting_run.say, "hello", log=tmp_path / "log.txt", watch=lambda: seen.append(1))
    assert pid != os.getpid()
    assert (tmp_path / "log.txt").read_text() == "hello\n"


def test_failures_come_back_in_words(tmp_path):
    with pytest.raises(RuntimeError, match=r"Traceback[\s\S]*ValueError: no such thing"):
        run_in_process(counting_run.fail)
    with pytest.raises(RuntimeError, match="exit code 9"):
        run_in_process(counting_run.die)


def test_the_deadline_ends_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    looks = []
    with pytest.raises(TimeoutError):
        run_in_process(counting_run.stubborn, 600, deadline=time.monotonic() + 4, watch=lambda: looks.append(1))
    assert looks
    if Path("started").exists():  # on a busy machine it may have been ended before it began
        assert not alive(int(Path("started").read_text()))


def test_a_killed_parent_takes_it_along(tmp_path):
    program = (
        "from tuning import counting_run\n"
        "from keras_attention.tuning.trial_process import run_in_process\n"
        "if __name__ == '__main__':\n"
        "    run_in_process(counting_run.stubborn, 600)\n"
    )
    (tmp_path / "program.py").write_text(program)
    paths = os.pathsep.join([str(Path(__file__).parents[1]), str(Path(__file__).parents[2])])
    parent = subprocess.Popen([sys.executable, "program.py"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": paths})
    started = tmp_path / "started"
    wait_for(lambda: started.exists() and started.read_text())
    child = int(started.read_text())
    assert alive(child)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    wait_for(lambda: not alive(child), 20)
