"""The trials of a search for TensorBoard's HParams page."""

import csv
import shutil
from pathlib import Path

from keras_attention.tuning.trial_result import RUN_FOLDER


def write_hparams(directory, results, ranges, objective):
    """Write what TensorBoard's HParams page shows: the space, and of every trial its values and its curve.

    The folder is written anew, so that it holds what `results` holds and nothing else:
    `tensorboard --logdir <directory>`.

    Args:
        directory: Folder to write; made if missing.
        results: List of `TrialResult`. Trials without an epoch are left out.
        ranges: Dict from "section.option" to a range, as `SearchSpace.ranges` gives it.
        objective: Name of the figure, which stands in the runs' `history.csv` as `val_<objective>`.

    Raises:
        ImportError: If TensorBoard is not installed.
    """
    try:
        from tensorboard.plugins.hparams import api, summary
        from tensorboard.plugins.hparams.api_pb2 import Status
    except ImportError as error:
        raise ImportError("HParams want the package tensorboard: pip install 'keras_attention[tuning]'") from error
    directory = Path(directory)
    if directory.exists():
        shutil.rmtree(directory)
    names = sorted({name for one in results for name in one.values})
    hparams = [api.HParam(name, _domain(api, ranges.get(name))) for name in names]
    metric = api.Metric(f"validation/{objective}", display_name=f"validation {objective}")
    _write(directory, [(api.hparams_config_pb(hparams, [metric]), 0)])
    for one in results:
        curve = _curve(one.folder / RUN_FOLDER / "history.csv", f"val_{objective}")
        if not curve:
            continue
        status = {"COMPLETED": Status.STATUS_SUCCESS, "FAILED": Status.STATUS_FAILURE}
        events = [(api.hparams_pb(one.values, trial_id=one.trial), 0)]
        events += [(_scalar(f"validation/{objective}", value), epoch) for epoch, value in curve]
        if one.score is not None:
            # What the trial is judged by stands last: the best of the curve, which the page shows as the metric.
            events.append((_scalar(f"validation/{objective}", one.score), curve[-1][0] + 1))
        events.append((summary.session_end_pb(status.get(one.status, Status.STATUS_RUNNING)), curve[-1][0] + 1))
        _write(directory / f"trial_{one.trial}", events)


def _domain(api, one):
    if one is None:
        return None
    if "choices" in one:
        return api.Discrete(list(one["choices"]))
    numbers = one["minimum"], one["maximum"], one.get("step", 1)
    if all(isinstance(number, int) for number in numbers):
        return api.IntInterval(one["minimum"], one["maximum"])
    return api.RealInterval(float(one["minimum"]), float(one["maximum"]))


def _scalar(tag, value):
    from tensorboard.compat.proto.summary_pb2 import Summary

    summary = Summary()
    summary.value.add(tag=tag, simple_value=value)
    return summary


def _curve(path, column):
    """Return pairs (epoch from 1, value)."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return [(int(row["epoch"]) + 1, float(row[column])) for row in csv.DictReader(stream) if row.get(column)]


def _write(directory, events):
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(directory))
    for content, step in events:
        event = Event(step=step, summary=Summary.FromString(content.SerializeToString()))
        writer.add_event(event)
    writer.close()
