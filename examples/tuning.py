"""What `tune` does in both tasks: search, show, and leave a configuration for `train`."""

import json
import os
import time
from pathlib import Path

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from examples.command_line import console
from examples.configuration_file import read_toml
from keras_attention import tuning  # loads KerasTuner when it is asked for something, so not in the trials' processes
from keras_attention.plotting import plot_parallel_coordinates
from keras_attention.training.workdir import RUN_FILE, claim_workdir

BEST = "best.toml"
PICTURE = "trials.png"
SHOWN = 20  # trials in the table; all of them are in the picture and in TensorBoard
CHIEF_SECONDS = 600  # a worker waits so long for the chief to begin


def starting_configuration(path, method, epochs=None):
    """Return the configuration that a search starts from, with another number of epochs if that is given.

    Raises:
        ValueError: If Hyperband cannot cut its training by epochs.
    """
    configuration = read_toml(path)
    training = configuration.setdefault("training", {})
    if epochs is not None:
        training["epochs"] = epochs
    if method == "hyperband" and training.get("minutes"):
        raise ValueError(
            f"{path}: Hyperband cuts a training by epochs, so it wants one that is not cut by minutes. "
            f"Received: minutes={training['minutes']}"
        )
    return configuration


def join_search(address, name):
    """Take part in a search on several machines: KerasTuner's environment variables, from two options.

    Raises:
        ValueError: If only one of the two is given, or the address is no `host:port`.
    """
    if bool(address) != bool(name):
        raise ValueError(f"--address and --name go together. Received: address={address!r}, name={name!r}")
    if not address:
        return
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isdigit()):
        raise ValueError(f"Expected --address as host:port. Received: address={address!r}")
    os.environ.update(KERASTUNER_ORACLE_IP=host, KERASTUNER_ORACLE_PORT=port, KERASTUNER_TUNER_ID=name)


def search(hyper_model, train, workdir, command, *, method, trials, minutes, seed, epochs, factor, name=""):
    """Search, or go on searching, and show what came out.

    Args:
        hyper_model: The hypermodel.
        train: `train(config_path, workdir, until_epoch)`, which can be pickled.
        workdir: Folder of the search. Gets `trials/`, `best.toml`, `trials.png` and `tensorboard/`.
        command: The command that trains `best.toml`, up to `--config`.
        method, trials, minutes, seed, factor: See `make_oracle`.
        epochs: Epochs of a whole training.
        name: "chief", the name of a worker, or nothing for a search in one place.

    Returns:
        The best `TrialResult`; None on a worker.
    """
    objective = hyper_model.objective
    oracle = tuning.make_oracle(
        method, objective, seed=seed, trials=trials, minutes=minutes, max_epochs=epochs, factor=factor
    )
    definition = {
        "configuration": hyper_model.configuration,
        "space": hyper_model.space.as_dict(),
        "method": {"name": method, "seed": seed, **({"factor": factor} if method == "hyperband" else {})},
    }
    workdir = _follow_chief(workdir, definition) if name not in ("", "chief") else claim_workdir(workdir, definition)
    with _Watch(workdir, objective, oracle) as watch:
        tuner = tuning.ConfigurationTuner(hyper_model, oracle, train, workdir, watch=watch)
        if name == "chief":
            console.print("Waiting for workers, and for the last of them to end.")
        try:
            tuner.search()
        except RuntimeError as error:  # too many failures one after the other
            raise ValueError(f"{error}\nThe logs of the trials are in {workdir / 'trials'}.") from error
        except KeyboardInterrupt:
            console.print("\nInterrupted. The same command goes on from here.")
            raise
    return None if name not in ("", "chief") else report(hyper_model, workdir, command)


def report(hyper_model, workdir, command):
    """Print the table, draw the picture, write TensorBoard's HParams and `best.toml`; return the best trial."""
    objective, results = hyper_model.objective, tuning.read_results(workdir)
    console.print(tuning.results_table(results, objective, limit=SHOWN, title=f"{len(results)} trials"))
    best = tuning.best_result(results)
    ranges = {}
    for model in hyper_model.space.models:
        ranges.update(hyper_model.space.ranges(model))
    log_axes = [name for name, one in ranges.items() if one.get("scale") == "log"]
    rows = [(one.values, one.score) for one in results if one.score is not None]
    plot_parallel_coordinates(rows, f"validation {objective}", log_axes).savefig(workdir / PICTURE)
    tuning.write_hparams(workdir / "tensorboard", results, ranges, objective)
    found = tuning.write_toml(
        workdir / BEST,
        read_toml(best.config),
        comment=f"The best of {len(rows)} trials, trial {best.trial}: validation {objective} {best.score:.4f} after "
        f"{_epochs(best.epochs)}.\n\n  {command} --config {workdir / BEST} --workdir runs/found",
    )
    console.print(
        f"Best validation {objective} {best.score:.4f}: trial {int(best.trial)}, {_epochs(best.epochs)}.\n"
        f"Its configuration, for `train`: {found}\nPicture: {workdir / PICTURE}\n"
        f"HParams: tensorboard --logdir {workdir / 'tensorboard'}",
        highlight=False,
        markup=False,
    )
    return best


def _epochs(count):
    return f"{count} epoch" if count == 1 else f"{count} epochs"


def _follow_chief(workdir, definition):
    """Wait until the chief has made the folder, and see that it searches the same."""
    path = Path(workdir) / RUN_FILE
    until = time.monotonic() + CHIEF_SECONDS
    while not path.exists():
        if time.monotonic() > until:
            raise ValueError(f"Expected a chief that works in the same folder. Received: no {path} after ten minutes")
        time.sleep(0.2)
    if json.loads(path.read_text(encoding="utf-8")) != json.loads(json.dumps(definition)):
        raise ValueError(f"The chief that works in {workdir} searches something else: give it the same options.")
    return Path(workdir)


class _Watch:
    """Progress of a search: a line per trial, and a bar for the one that runs."""

    def __init__(self, workdir, objective, oracle):
        self.workdir, self.objective, self.oracle = workdir, objective, oracle
        columns = TextColumn("{task.description}"), BarColumn(20), TextColumn("{task.fields[epoch]}")
        self.progress = Progress(*columns, TimeElapsedColumn(), console=console, transient=True)
        self.task = None

    def __enter__(self):
        self.progress.start()
        return self

    def __exit__(self, *_):
        self.progress.stop()

    def on_trial_begin(self, trial_id, values, until_epoch):
        total = f"of {until_epoch}" if until_epoch else ""
        if self.task is not None:
            self.progress.remove_task(self.task)
        self.task = self.progress.add_task(
            f"Trial {int(trial_id)}{self._budget()}", total=until_epoch, epoch=f"{_epochs(0)} {total}"
        )
        self._total = total

    def on_epoch(self, trial_id, epoch):
        self.progress.update(self.task, completed=epoch, epoch=f"{_epochs(epoch)} {self._total}")

    def on_trial_end(self, trial_id, status):
        results = tuning.read_results(self.workdir)
        one = next(result for result in results if result.trial == trial_id)
        scores = [result.score for result in results if result.score is not None]
        if one.score is None:
            message = (one.message or status).strip().splitlines()[-1]
            self.progress.console.print(f"Trial {int(trial_id)}: {status.lower()}: {message}", markup=False)
            return
        self.progress.console.print(
            f"Trial {int(trial_id)}: {self.objective} {one.score:.4f} after {_epochs(one.epochs)}, "
            f"{one.seconds:.0f} s; best so far {max(scores):.4f}.",
            highlight=False,
        )

    def _budget(self):
        parts = []
        if self.oracle.trial_budget:
            parts.append(f"of {self.oracle.trial_budget}")
        if self.oracle.minutes:
            parts.append(f"{self.oracle.seconds / 60:.0f} of {self.oracle.minutes:g} minutes")
        return " (" + ", ".join(parts) + ")" if parts else ""
