"""From a request to the future of its answer, with or without batching."""

import functools
import os
import time
from concurrent.futures import ThreadPoolExecutor

from keras_attention.serving.batch_scheduler import BatchScheduler
from keras_attention.serving.model_repository import ModelRepository
from keras_attention.serving.serving_error import ServingError


class Predictor:
    """Runs the requests of both protocols in a few threads.

    Args:
        configs: List of `ModelConfig`.
        batching: `BatchingParameters`, or None: every request runs alone.

    Attributes:
        repository: The `ModelRepository`.
    """

    def __init__(self, configs, batching=None):
        self.repository = ModelRepository(configs)
        self._executor = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="predict")
        self._scheduler = BatchScheduler(batching, self._run_call) if batching else None

    def submit(self, model, signature_name, inputs, output_filter=(), timeout=None):
        """Check a request and begin with it.

        Args:
            model: A `ServedModel` of the repository.
            signature_name: Name of one of its signatures.
            inputs: Dict from an input's name to an array.
            output_filter: Names of the outputs that are wanted; all if empty.
            timeout: In seconds; the answer is DEADLINE_EXCEEDED then. None waits.

        Returns:
            A `concurrent.futures.Future` of a dict of arrays. Cancelling it saves the run if that has not begun.

        Raises:
            ServingError: If the request does not fit the signature.
        """
        signature = model.signature(signature_name)
        model.check(signature, inputs, output_filter)
        deadline = None if timeout is None else time.monotonic() + timeout
        call = (model, signature_name, tuple(sorted(output_filter)))
        if self._scheduler is not None:
            return self._scheduler.submit(call, inputs, deadline)
        return self._executor.submit(functools.partial(self._run_call, call, inputs, deadline))

    def close(self):
        """Finish what runs, drop what waits."""
        self._executor.shutdown(cancel_futures=True)
        if self._scheduler is not None:
            self._scheduler.close()
        self.repository.close()

    @staticmethod
    def _run_call(call, inputs, deadline):
        model, signature_name, output_filter = call
        timeout = None if deadline is None else deadline - time.monotonic()
        if timeout is not None and timeout <= 0:
            raise ServingError("DEADLINE_EXCEEDED", "the deadline passed before the model was run")
        return model.run(model.signature(signature_name), inputs, output_filter, timeout)
