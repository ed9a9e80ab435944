"""Batching with a function in place of a model: what is joined, split, refused, left out."""

import threading
import time

import numpy as np
import pytest

from keras_attention.serving.batch_scheduler import BatchScheduler
from keras_attention.serving.batching_parameters import BatchingParameters
from keras_attention.serving.serving_error import ServingError

PATIENT = 60.0


class Recorder:
    """Doubles `x`; remembers what it was asked; can be held up."""

    def __init__(self):
        self.calls = []
        self.deadlines = []
        self.go = threading.Event()
        self.go.set()

    def __call__(self, call, inputs, deadline):
        self.go.wait(PATIENT)
        self.calls.append((call, [float(np.ravel(row)[0]) for row in inputs["x"]]))
        self.deadlines.append(deadline)
        if -1 in inputs["x"]:
            raise ServingError("INVALID_ARGUMENT", "no -1 here")
        return {"y": inputs["x"] * 2}


@pytest.fixture
def run():
    return Recorder()


@pytest.fixture
def scheduler(run):
    schedulers = []

    def make(**parameters):
        parameters = {"num_batch_threads": 1, "batch_timeout_micros": 10_000_000, **parameters}
        schedulers.append(BatchScheduler(BatchingParameters(**parameters), run))
        return schedulers[-1]

    yield make
    run.go.set()
    for one in schedulers:
        one.close()


def x(*values):
    return {"x": np.array(values)}


def y(future):
    return future.result(PATIENT)["y"].tolist()


def test_a_full_batch_runs_at_once_and_is_split(scheduler, run):
    batches = scheduler(max_batch_size=4)
    futures = [batches.submit("f", x(1)), batches.submit("f", x(2, 3)), batches.submit("f", x(4))]
    assert [y(future) for future in futures] == [[2], [4, 6], [8]]
    assert run.calls == [("f", [1, 2, 3, 4])]


def test_the_timeout_runs_what_is_there(scheduler, run):
    batches = scheduler(max_batch_size=100, batch_timeout_micros=50_000)
    began = time.monotonic()
    assert y(batches.submit("f", x(1))) == [2]
    assert time.monotonic() - began >= 0.05
    assert run.calls == [("f", [1])]


def test_what_does_not_fit_waits_for_the_next_batch(scheduler, run):
    batches = scheduler(max_batch_size=3, batch_timeout_micros=20_000)
    futures = [batches.submit("f", x(1, 2)), batches.submit("f", x(3, 4))]
    assert [y(future) for future in futures] == [[2, 4], [6, 8]]
    assert run.calls == [("f", [1, 2]), ("f", [3, 4])]


def test_other_calls_and_other_inner_shapes_are_not_joined(scheduler, run):
    batches = scheduler(max_batch_size=8, batch_timeout_micros=20_000)
    inputs = [("f", x(1)), ("g", x(2)), ("f", x([3, 3])), ("f", x(4))]
    futures = [batches.submit(*one) for one in inputs]
    assert [y(future) for future in futures] == [[2], [4], [[6, 6]], [8]]
    assert sorted(run.calls) == [("f", [1, 4]), ("f", [3]), ("g", [2])]


def test_filled_up_to_the_allowed_sizes(scheduler, run):
    batches = scheduler(max_batch_size=8, allowed_batch_sizes=(2, 5, 8), batch_timeout_micros=20_000)
    futures = [batches.submit("f", x(1, 2)), batches.submit("f", x(3))]
    assert [y(future) for future in futures] == [[2, 4], [6]]
    assert run.calls == [("f", [1, 2, 3, 1, 1])]


def test_nothing_to_do_is_done(scheduler, run):
    batches = scheduler(max_batch_size=2, batch_timeout_micros=10_000, allowed_batch_sizes=(2,))
    assert y(batches.submit("f", x())) == []


def test_an_error_stays_with_its_request(scheduler, run):
    batches = scheduler(max_batch_size=3)
    futures = [batches.submit("f", x(value)) for value in (1, -1, 3)]
    assert y(futures[0]) == [2]
    assert y(futures[2]) == [6]
    with pytest.raises(ServingError, match="no -1 here"):
        futures[1].result(PATIENT)


def test_cancelled_and_expired_requests_are_not_run(scheduler, run):
    batches = scheduler(max_batch_size=4, batch_timeout_micros=10_000)
    run.go.clear()
    blocker = batches.submit("f", x(1, 2, 3, 4))  # keeps the only thread busy
    while not blocker.running():
        time.sleep(0.001)
    waiting = [batches.submit("f", x(i), deadline) for i, deadline in ((7, None), (8, time.monotonic()), (9, None))]
    assert waiting[0].cancel()
    run.go.set()
    assert y(blocker) == [2, 4, 6, 8]
    assert y(waiting[2]) == [18]
    with pytest.raises(ServingError, match="DEADLINE_EXCEEDED"):
        waiting[1].result(PATIENT)
    assert run.calls == [("f", [1, 2, 3, 4]), ("f", [9])]


def test_the_batch_has_the_latest_deadline_of_its_requests(scheduler, run):
    batches = scheduler(max_batch_size=2)
    later = time.monotonic() + 1000
    pairs = [[later, later - 500], [later, None]]
    for pair in pairs:
        futures = [batches.submit("f", x(1), deadline) for deadline in pair]
        assert [y(future) for future in futures] == [[2], [2]]
    assert run.deadlines == [later, None]


def test_refused(scheduler, run):
    batches = scheduler(max_batch_size=2, max_enqueued_batches=2)
    with pytest.raises(ServingError, match="max_batch_size=2"):
        batches.submit("f", x(1, 2, 3))
    for inputs in ({"x": np.array(1)}, {"x": np.array([1]), "z": np.array([1, 2])}):
        with pytest.raises(ServingError, match="one first dimension"):
            batches.submit("f", inputs)
    run.go.clear()
    blocker = batches.submit("f", x(1, 2))
    while not blocker.running():
        time.sleep(0.001)
    waiting = [batches.submit("f", x(1, 2)) for _ in range(2)]
    with pytest.raises(ServingError, match="queue of batches is full") as error:
        batches.submit("f", x(1))
    assert error.value.http_status == 503
    run.go.set()
    assert [y(future) for future in waiting] == [[2, 4]] * 2


def test_an_output_that_is_not_along_the_batch():
    batches = BatchScheduler(BatchingParameters(max_batch_size=1), lambda *_: {"y": np.array(1), "z": np.zeros(2)})
    with pytest.raises(ServingError, match=r"FAILED_PRECONDITION.*\['y', 'z'\]"):
        batches.submit("f", x(1)).result(PATIENT)
    batches.close()


def test_closing_runs_what_waits_and_takes_no_more(scheduler, run):
    batches = scheduler(max_batch_size=8)
    future = batches.submit("f", x(1))
    batches.close()
    assert y(future) == [2]
    with pytest.raises(ServingError, match="UNAVAILABLE"):
        batches.submit("f", x(1))
