"""What the load generator Locust does: every user sends one request after another, without a pause.

Started by `python -m benchmarks.serving`, which hands the requests over in the environment.
"""

import itertools
import json
import os

from locust import FastHttpUser, constant, task

REQUESTS = json.loads(os.environ["SERVING_REQUESTS"])


class Caller(FastHttpUser):
    """One of many callers; each begins at another request."""

    wait_time = constant(0)
    count = itertools.count()

    def on_start(self):
        self.bodies = itertools.cycle(REQUESTS["bodies"])
        for _ in range(next(self.count) % len(REQUESTS["bodies"])):
            next(self.bodies)

    @task
    def predict(self):
        self.client.post(REQUESTS["path"], json=next(self.bodies), name=":predict")
