"""A training that only counts: quick, but with a schedule, a state and files like a real one's."""

import csv
import json
import os
import time
import tomllib
from pathlib import Path

from keras_attention.training.workdir import claim_workdir


def train(config, workdir, until_epoch=None):
    """Every epoch moves a weight by what a slow moment remembers: lost memory gives another score."""
    configuration = tomllib.loads(Path(config).read_text(encoding="utf-8"))
    training, units = configuration["training"], configuration["model"]["units"]
    if units == training.get("units_that_fail"):
        raise ValueError(f"{units} units are too many")
    workdir = claim_workdir(workdir, configuration)
    state = {"epoch": 0, "weight": 0.0, "moment": 0.0, "best": 0.0}
    if (workdir / "last.npz").exists():
        state = json.loads((workdir / "last.npz").read_text())
    with (workdir / "pids.txt").open("a") as stream:
        stream.write(f"{os.getpid()} {os.getppid()} from epoch {state['epoch']}\n")
    for epoch in range(state["epoch"], min(until_epoch or training["epochs"], training["epochs"])):
        time.sleep(training.get("pause", 0))
        rate = training["learning_rate"] * (1 - epoch / training["epochs"])  # the schedule is that of the whole run
        state["moment"] = 0.7 * state["moment"] + rate * units
        state["weight"] += state["moment"]
        score = 10 * state["weight"] / (1 + state["weight"] ** 2 / 50)
        state.update(epoch=epoch + 1, best=max(state["best"], score))
        with (workdir / "history.csv").open("a", newline="") as stream:
            writer = csv.writer(stream)
            if epoch == 0:
                writer.writerow(["epoch", "val_bleu"])
            writer.writerow([epoch, score])
        temporary = workdir / "last.npz.partial"
        temporary.write_text(json.dumps(state))
        temporary.replace(workdir / "last.npz")
    return {"best_bleu": state["best"], "epochs": state["epoch"], "seconds": float(state["epoch"])}


def stubborn(seconds):
    """Sleep, for a process that is to be ended from outside."""
    Path("started").write_text(str(os.getpid()))
    time.sleep(seconds)


def die():
    """End the process as a lack of memory does, without a word."""
    os._exit(9)


def say(text):
    """Print, and return where it was done."""
    print(text)
    return os.getpid()


def fail():
    """Raise."""
    raise ValueError("no such thing")
