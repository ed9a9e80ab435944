"""A search over configurations: every trial is a run of `train`, and so is what comes out."""

import contextlib
import csv
import io
import os
import shutil
import time
from pathlib import Path

from keras_attention.tuning.engine import keras_tuner
from keras_attention.tuning.oracles import write_json
from keras_attention.tuning.toml_writer import write_toml
from keras_attention.tuning.trial_process import run_in_process
from keras_attention.tuning.trial_result import CONFIG_FILE, RESULT_FILE, RUN_FOLDER, TRIALS

CARRIED_ON = ("run.json", "last.npz", "best.weights.h5", "history.csv")  # of a run that is gone on with elsewhere
SAVE_SECONDS = 15
IDLE_SECONDS = 0.2
CHIEF = "chief"


class ConfigurationTuner(keras_tuner.engine.base_tuner.BaseTuner):
    """Search the space of a hypermodel by training configurations, each in a process of its own.

    A trial writes its configuration as a TOML file and runs what `train` runs on it. So the best trial's file gives
    the best trial's training once more. A run keeps its weights, moments, random states and record in one file after
    every epoch, which serves twice: a search that was killed goes on in the middle of the trial that was running, and a
    trial that Hyperband promotes goes on from the one before as if it had never stopped.

    Several machines: one chief and workers, as KerasTuner has it, over gRPC. With the environment variables
    `KERASTUNER_ORACLE_IP` and `KERASTUNER_ORACLE_PORT` of the chief, and `KERASTUNER_TUNER_ID` ("chief", or a name of
    the worker's own), the same program is either. The work directory is one that all of them see. A worker that died
    is replaced by another one of the same name, which takes up its trial; the chief waits for it.

    Args:
        hyper_model: A `TranslationHyperModel` or an `AnswerSelectionHyperModel`.
        oracle: What `make_oracle` returns.
        train: `train(config_path, workdir, until_epoch)`: the run, until the epoch or to the end if that is None.
            Returns a dict with `best_<objective>`, `epochs` and `seconds`. A function that a new process can import,
            or an object that can be pickled.
        workdir: Folder of the search; `<workdir>/trials/` is written.
        processes: Whether a trial has a process of its own. Without, memory grows from trial to trial.
        watch: Object with `on_trial_begin(trial_id, values, until_epoch)`, `on_epoch(trial_id, epoch)` and
            `on_trial_end(trial_id, status)`; None for silence.
    """

    def __init__(self, hyper_model, oracle, train, workdir, processes=True, watch=None):
        self.train = train
        self.processes = processes
        self.watch = watch
        oracle.verbose = 0
        with contextlib.redirect_stdout(io.StringIO()):  # KerasTuner says from which file it goes on
            super().__init__(oracle, hyper_model, directory=str(workdir), project_name=TRIALS)

    def search(self, *fit_args, **fit_kwargs):
        """Run trials until the budget is used up, or the oracle has no more.

        At the end of its minutes the trial that runs is ended too, and the same search with more minutes goes on with
        it. With workers, trials that run then are finished.
        """
        if not self._is_worker():
            self.oracle.start_clock()
            self.save()
        try:
            super().search(*fit_args, **fit_kwargs)
        except _OutOfTimeError:
            self.save()

    def run_trial(self, trial, *fit_args, **fit_kwargs):
        """Train the trial's configuration and return its score."""
        values = trial.hyperparameters.values
        folder = Path(self.get_trial_dir(trial.trial_id))
        config = write_toml(
            folder / CONFIG_FILE,
            self.hypermodel.configure(trial.hyperparameters),
            comment=f"Trial {trial.trial_id} of a search.",
        )
        run = folder / RUN_FOLDER
        if "tuner/trial_id" in values:
            _carry_on(Path(self.get_trial_dir(values["tuner/trial_id"])) / RUN_FOLDER, run)
        until_epoch = values.get("tuner/epochs")
        if self.watch is not None:
            self.watch.on_trial_begin(trial.trial_id, values, until_epoch)
        try:
            record = self._train(trial.trial_id, config, run, until_epoch)
        except TimeoutError as error:
            raise _OutOfTimeError("the minutes of the search are over") from error
        except keras_tuner.errors.FatalError:
            raise
        except Exception as error:
            write_json(folder / RESULT_FILE, {"epochs": _epochs_done(run), "seconds": 0.0, "message": str(error)})
            raise keras_tuner.errors.FailedTrialError(str(error)) from error
        write_json(folder / RESULT_FILE, {name: record[name] for name in ("epochs", "seconds")})
        return {self.hypermodel.objective: float(record[f"best_{self.hypermodel.objective}"])}

    def _train(self, trial_id, config, run, until_epoch):
        arguments = str(config), str(run), until_epoch
        if not self.processes:
            return self.train(*arguments)
        deadline = None
        if not self._is_in_parallel() and self.oracle.minutes is not None:
            deadline = time.monotonic() + max(60 * self.oracle.minutes - self.oracle.seconds, 0)
        saved = time.monotonic()

        def look():
            nonlocal saved
            if self.watch is not None:
                self.watch.on_epoch(trial_id, _epochs_done(run))
            if not self._is_worker() and time.monotonic() > saved + SAVE_SECONDS:
                self.oracle.save()  # the time it has taken
                saved = time.monotonic()

        return run_in_process(self.train, *arguments, log=config.parent / "log.txt", deadline=deadline, watch=look)

    def on_trial_end(self, trial):
        super().on_trial_end(trial)
        if self.watch is not None:
            self.watch.on_trial_end(trial.trial_id, trial.status)

    def pre_create_trial(self):
        if self._is_worker():
            time.sleep(IDLE_SECONDS)  # an oracle that waits for other workers is asked again and again

    def save(self):
        if not self._is_worker():
            self.oracle.save()
            write_json(self._get_tuner_fname(), self.get_state())

    def _get_tuner_fname(self):
        # The same name whoever searches, so that a chief goes on with what one process began.
        return os.path.join(self.project_dir, "worker.json" if self._is_worker() else "tuner.json")

    def _populate_initial_space(self):
        # Instead of building models to see what they ask for: the space is known.
        hp = self.oracle.get_space()
        self.hypermodel.declare_hyperparameters(hp)
        self.oracle.update_space(hp)

    @staticmethod
    def _is_in_parallel():
        return "KERASTUNER_ORACLE_IP" in os.environ


class _OutOfTimeError(keras_tuner.errors.FatalError):
    """The minutes are over: neither the trial's fault nor the end of it."""


def _carry_on(earlier, run):
    """Let a run go on from where an earlier one of the same configuration stopped."""
    if run.exists():
        return  # begun before a kill
    partial = run.with_name("partial_" + run.name)
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir()
    for name in CARRIED_ON:
        if (earlier / name).exists():
            shutil.copy2(earlier / name, partial / name)
    partial.rename(run)


def _epochs_done(run):
    try:
        with (run / "history.csv").open(encoding="utf-8", newline="") as stream:
            return sum(1 for _ in csv.DictReader(stream))
    except (FileNotFoundError, csv.Error):
        return 0
