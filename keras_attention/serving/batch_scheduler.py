"""Requests joined into batches."""

import collections
import dataclasses
import threading
import time
from concurrent.futures import Future

import numpy as np

from keras_attention.serving.serving_error import ServingError


@dataclasses.dataclass
class _Task:
    inputs: dict
    size: int
    deadline: float | None
    future: Future
    since: float


class BatchScheduler:
    """Collects requests to one signature, runs them as one along the first dimension, and splits the answers.

    A request waits at most `batch_timeout_micros` for others. Cancelled and expired ones leave the queue unrun. If a
    batch fails, its requests are run one by one, so that nobody gets another's error.

    Args:
        parameters: `BatchingParameters`.
        run: Callable `(call, inputs, deadline) -> outputs`; `call` is the hashable thing that requests have in common,
            `deadline` by `time.monotonic()` or None.
    """

    def __init__(self, parameters, run):
        self.parameters = parameters
        self._run = run
        self._queues = collections.OrderedDict()
        self._changed = threading.Condition()
        self._closing = False
        self._threads = [
            threading.Thread(target=self._work, name=f"batch-{i}", daemon=True)
            for i in range(parameters.num_batch_threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, call, inputs, deadline=None):
        """Enqueue a request.

        Args:
            call: What it has in common with those it may be joined with.
            inputs: Dict from an input's name to an array.
            deadline: By `time.monotonic()`, or None.

        Returns:
            A `Future` of the dict of outputs.

        Raises:
            ServingError: INVALID_ARGUMENT if the inputs have no common first dimension or more than `max_batch_size`
                items; UNAVAILABLE if the queue is full.
        """
        sizes = {array.shape[0] if array.ndim else None for array in inputs.values()}
        if len(sizes) != 1 or None in sizes:
            raise ServingError("INVALID_ARGUMENT", "batching wants inputs with one first dimension")
        size = sizes.pop()
        if size > self.parameters.max_batch_size:
            raise ServingError(
                "INVALID_ARGUMENT",
                f"expected at most max_batch_size={self.parameters.max_batch_size} items. Received: {size}",
            )
        task = _Task(inputs, size, deadline, Future(), time.monotonic())
        # Only what has the same inner shapes can be joined.
        key = (call, tuple(sorted((name, array.shape[1:]) for name, array in inputs.items())))
        with self._changed:
            waiting = sum(other.size for queue in self._queues.values() for other in queue)
            if self._closing:
                raise ServingError("UNAVAILABLE", "the server is closing")
            if waiting + size > self.parameters.max_enqueued_batches * self.parameters.max_batch_size:
                raise ServingError("UNAVAILABLE", "the queue of batches is full")
            self._queues.setdefault(key, collections.deque()).append(task)
            self._changed.notify()
        return task.future

    def close(self):
        """Run what waits, and end the threads."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self):
        while (batch := self._next_batch()) is not None:
            call, tasks = batch
            self._process(call, tasks)

    def _next_batch(self):
        """Wait for a queue that is full or whose first request has waited long enough."""
        patience = self.parameters.batch_timeout_micros / 1e6
        with self._changed:
            while True:
                ripe_at = {}
                for key, queue in self._queues.items():
                    full = sum(task.size for task in queue) >= self.parameters.max_batch_size
                    ripe_at[key] = 0.0 if full or self._closing else queue[0].since + patience
                now = time.monotonic()
                key = min(ripe_at, key=ripe_at.get, default=None)
                if key is not None and ripe_at[key] <= now:
                    tasks = self._take(key)
                    if tasks:
                        return key[0], tasks
                elif self._closing and key is None:
                    return None
                else:
                    self._changed.wait(None if key is None else ripe_at[key] - now)

    def _take(self, key):
        """Take as many requests as fit, leaving out those that nobody waits for any more."""
        queue, tasks, size = self._queues[key], [], 0
        while queue and size + queue[0].size <= self.parameters.max_batch_size:
            task = queue.popleft()
            if not task.future.set_running_or_notify_cancel():
                continue
            if task.deadline is not None and task.deadline <= time.monotonic():
                task.future.set_exception(ServingError("DEADLINE_EXCEEDED", "the deadline passed in the queue"))
                continue
            tasks.append(task)
            size += task.size
        if not queue:
            del self._queues[key]
        self._changed.notify()  # what is left may be ripe for another thread
        return tasks

    def _process(self, call, tasks):
        try:
            answers = self._run_joined(call, tasks)
        except Exception as error:
            if len(tasks) > 1:
                for task in tasks:
                    self._process(call, [task])
            else:
                tasks[0].future.set_exception(error)
            return
        for task, answer in zip(tasks, answers):
            task.future.set_result(answer)

    def _run_joined(self, call, tasks):
        size = sum(task.size for task in tasks)
        padded = next((allowed for allowed in self.parameters.allowed_batch_sizes if allowed >= size), size)
        inputs = {}
        for name in tasks[0].inputs:
            parts = [task.inputs[name] for task in tasks]
            if size:
                first = next(part for part in parts if len(part))[:1]
                parts += [first] * (padded - size)
            inputs[name] = np.concatenate(parts)
        deadlines = [task.deadline for task in tasks]
        # The batch may take as long as its most patient request.
        outputs = self._run(call, inputs, None if None in deadlines else max(deadlines))
        wrong = [name for name, array in outputs.items() if array.ndim == 0 or len(array) != (padded if size else 0)]
        if wrong:
            raise ServingError("FAILED_PRECONDITION", f"batching wants outputs along the batch; {wrong} are not")
        answers, begin = [], 0
        for task in tasks:
            answers.append({name: array[begin : begin + task.size] for name, array in outputs.items()})
            begin += task.size
        return answers
