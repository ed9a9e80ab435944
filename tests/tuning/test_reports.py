"""Results as files, table and TensorBoard's HParams."""

import io

import pytest
from rich.console import Console
from tuning.counting_search import make_tuner

from keras_attention.tuning import TrialResult, best_result, read_results, results_table, write_hparams


@pytest.fixture(scope="module")
def search(tmp_path_factory):
    """Four random trials, of which the first fails."""
    workdir = tmp_path_factory.mktemp("search")
    tuner = make_tuner(workdir, "random", trials=4, units_that_fail=4)
    tuner.search()
    return tuner, workdir


def shown(table):
    console = Console(file=io.StringIO(), width=200)
    console.print(table)
    return console.file.getvalue()


def test_the_table_has_the_best_first_and_what_failed_last(search):
    _, workdir = search
    results = read_results(workdir)
    text = shown(results_table(results, "bleu", title="4 trials"))
    rows = [line.split("│")[1].strip() for line in text.splitlines() if line.startswith("│")]
    assert rows[0] == str(int(best_result(results).trial))
    assert rows[-1] == "0"
    assert "failed" in text
    for heading in ("4 trials", "BLEU", "Epochs", "Minutes", "units", "learning rate"):
        assert heading in text
    assert results_table(results, "bleu", limit=2).row_count == 2


def test_many_options_stand_in_one_column(tmp_path):
    values = {f"model.option_{number}": number for number in range(9)}
    trial = TrialResult(
        "0003", "COMPLETED", 0.25, 1, 60.0, {**values, "model.tied": True, "model.rate": 1e-3}, tmp_path
    )
    table = results_table([trial], "mrr")
    assert len(table.columns) == 5
    text = " ".join(shown(table).split())
    for expected in ("option 8 8", "tied yes", "rate 0.001", "0.250"):
        assert expected in text


def test_of_equal_scores_the_longer_trained_is_the_best(tmp_path):
    def trial(number, score, epochs):
        return TrialResult(number, "COMPLETED", score, epochs, 1.0, {}, tmp_path)

    assert best_result([trial("0000", 2.0, 1), trial("0001", 2.0, 9), trial("0002", 1.0, 9)]).trial == "0001"


def test_hparams_as_tensorboard_reads_them(search, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import metadata

    tuner, workdir = search
    results = read_results(workdir)
    ranges = tuner.hypermodel.space.ranges("seq2seq")
    for _ in range(2):  # written anew, not added to
        write_hparams(tmp_path / "hparams", results, ranges, "bleu")
    assert len(list((tmp_path / "hparams").glob("events*"))) == 1

    def plugin_data(folder, tag):
        events = EventAccumulator(str(folder)).Reload()
        content = events.SummaryMetadata(tag).plugin_data.content
        return (
            metadata.parse_experiment_plugin_data(content)
            if tag == metadata.EXPERIMENT_TAG
            else (metadata.parse_session_start_info_plugin_data(content))
        )

    experiment = plugin_data(tmp_path / "hparams", metadata.EXPERIMENT_TAG)
    assert {info.name for info in experiment.hparam_infos} == {"model.units", "training.learning_rate"}
    folders = sorted(path.name for path in (tmp_path / "hparams").iterdir() if path.is_dir())
    assert folders == ["trial_0001", "trial_0002", "trial_0003"]
    one = results[1]
    start = plugin_data(tmp_path / "hparams" / "trial_0001", metadata.SESSION_START_INFO_TAG)
    assert start.hparams["model.units"].number_value == one.values["model.units"]
    events = EventAccumulator(str(tmp_path / "hparams" / "trial_0001")).Reload()
    curve = [event.value for event in events.Scalars("validation/bleu")]
    assert len(curve) == 9 + 1
    assert curve[-1] == pytest.approx(max(curve)) == pytest.approx(one.score)
