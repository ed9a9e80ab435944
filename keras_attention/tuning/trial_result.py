"""What came out of a trial, read from the files of a search."""

import dataclasses
import json
from pathlib import Path

TRIALS = "trials"
RESULT_FILE = "result.json"
CONFIG_FILE = "config.toml"
RUN_FOLDER = "run"


@dataclasses.dataclass(frozen=True)
class TrialResult:
    """One trial of a search.

    Attributes:
        trial: Its number, from 0, a string as KerasTuner writes it.
        status: "COMPLETED", "FAILED", or "RUNNING": it runs, or will be gone on with.
        score: Best figure of the validation part so far; None if it was not completed.
        epochs: Epochs trained; those of the Hyperband trials it went on from are among them.
        seconds: Training and validation, same.
        values: Dict from "section.option" to the value it had.
        folder: Its folder, with `config.toml`, what `train` takes.
        message: Why it failed.
    """

    trial: str
    status: str
    score: float | None
    epochs: int
    seconds: float
    values: dict
    folder: Path
    message: str | None = None

    @property
    def config(self):
        """Its configuration file."""
        return self.folder / CONFIG_FILE


def read_results(workdir):
    """Return the trials of the search in a work directory, in the order of their numbers, a list of `TrialResult`."""
    results = []
    for path in Path(workdir).glob(f"{TRIALS}/trial_*/trial.json"):
        trial = json.loads(path.read_text(encoding="utf-8"))
        result = {"epochs": 0, "seconds": 0.0}
        if (path.parent / RESULT_FILE).exists():
            result = json.loads((path.parent / RESULT_FILE).read_text(encoding="utf-8"))
        values = trial["hyperparameters"]["values"]
        results.append(
            TrialResult(
                trial["trial_id"],
                trial["status"],
                trial["score"] if trial["status"] == "COMPLETED" else None,
                result["epochs"],
                result["seconds"],
                {name: value for name, value in values.items() if not name.startswith("tuner/")},
                path.parent,
                result.get("message"),
            )
        )
    return sorted(results, key=lambda one: int(one.trial))


def best_result(results):
    """Return the completed trial with the highest score; of equal ones the one that trained longest.

    Raises:
        ValueError: If no trial was completed.
    """
    completed = [one for one in results if one.score is not None]
    if not completed:
        failed = [one.message for one in results if one.message]
        raise ValueError(f"No trial was completed.{' The last failure: ' + failed[-1] if failed else ''}")
    return max(completed, key=lambda one: (one.score, one.epochs))
