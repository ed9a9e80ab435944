"""`tune` in both tasks, on toy corpora: what it leaves behind, that `train` takes it, and that a kill costs nothing."""

import csv
import os
import pickle
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from examples import tuning as examples_tuning
from examples.answer_selection import train as train_answers
from examples.answer_selection import tune as tune_answers
from examples.translation import train as train_translation
from examples.translation import tune as tune_translation
from examples.translation.config import load_config as load_translation
from keras_attention.tuning import configuration_tuner, read_results

ROOT = Path(__file__).parents[2]
TRANSLATION = """
[text]
vocabulary_size = 40
[data]
batch_size = 32
bucket_count = 2
[model]
name = "rnn_search"
embedding_dim = 8
encoder_units = 8
decoder_units = 8
attention_units = 8
maxout_units = 8
[training]
epochs = 2
learning_rate = 0.01
warmup_steps = 2
seed = 3
"""
TRANSLATION_SPACE = """
[data]
batch_size = {}
[model]
embedding_dim = {}
encoder_units = {}
decoder_units = { choices = [8, 12] }
attention_units = {}
maxout_units = {}
tie_embeddings = {}
dropout = 0.1
[training]
average_decay = 0.9
"""
ANSWERS = """
[text]
tokenizer = "words"
[data]
question_length = 8
answer_length = 12
batch_size = 16
[model]
name = "qa_cnn"
embedding_width = 8
filters = 8
[training]
epochs = 2
learning_rate = 0.01
seed = 3
"""
ANSWERS_SPACE = """
[model]
embedding_width = {}
filters = { choices = [8, 12] }
"""


def invoke(app, *arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def write_pairs(folder):
    words = [" ".join(row) for row in np.random.default_rng(0).choice(["red", "blue", "green", "one", "two"], (120, 3))]
    (folder / "pairs.tsv").write_text("".join(f"{text}\t{text[::-1]}\n" for text in words))
    (folder / "config.toml").write_text(TRANSLATION)
    (folder / "space.toml").write_text(TRANSLATION_SPACE)


def write_answers(folder):
    lines = [
        f"what {kind} is thing{i} ?\tthe thing{i} is {reply}\n"
        for i in range(30)
        for kind, reply in (("colour", "red or blue"), ("size", "large or small"))
    ]
    (folder / "pairs.tsv").write_text("".join(lines))
    (folder / "config.toml").write_text(ANSWERS)
    (folder / "space.toml").write_text(ANSWERS_SPACE)


TASKS = {
    "translation": (write_pairs, tune_translation, train_translation, "--tsv", "bleu"),
    "answer_selection": (write_answers, tune_answers, train_answers, "--train", "mrr"),
}


@pytest.fixture
def in_this_process(monkeypatch):
    """A process per trial imports TensorFlow each time; here what a process would do is done at once."""

    def run(train, *arguments, log, deadline, watch):
        watch()
        return pickle.loads(pickle.dumps(train))(*arguments)

    monkeypatch.setattr(configuration_tuner, "run_in_process", run)


def history(folder, objective):
    with (folder / "history.csv").open() as stream:
        return [(row["epoch"], row["loss"], row[f"val_{objective}"]) for row in csv.DictReader(stream)]


@pytest.mark.parametrize("task", [pytest.param("translation", marks=pytest.mark.extended), "answer_selection"])
def test_train_takes_what_tune_found_and_does_it_once_more(task, tmp_path, in_this_process):
    """Hyperband: two trials of one epoch, of which the better goes on to the second as if it had never stopped."""
    write, tune, train, option, objective = TASKS[task]
    write(tmp_path)
    search = tmp_path / "search"
    options = ["--config", tmp_path / "config.toml", "--space", tmp_path / "space.toml", option, tmp_path / "pairs.tsv"]
    options += ["--workdir", search, "--factor", 2]
    result = invoke(tune.app, *options, "--trials", 2)
    assert result.exit_code == 0, result.output
    assert [one.epochs for one in read_results(search)] == [1, 1]
    result = invoke(tune.app, *options, "--trials", 3)  # the same search, with a larger budget
    assert result.exit_code == 0, result.output
    results = read_results(search)
    assert [one.epochs for one in results] == [1, 1, 2]
    assert "Trial 2" in result.output
    assert "best.toml" in result.output.replace("\n", "")
    assert {"best.toml", "trials.png", "tensorboard", "trials", "run.json"} <= {path.name for path in search.iterdir()}
    assert (search / "trials.png").stat().st_size > 1000

    arguments = ["--config", search / "best.toml", option, tmp_path / "pairs.tsv", "--workdir", tmp_path / "again"]
    result = invoke(train.app, *arguments, "--verbose", 0)
    assert result.exit_code == 0, result.output
    again = history(tmp_path / "again", objective)
    assert len(again) == 2
    assert again == history(results[2].folder / "run", objective)
    assert results[2].score == max(float(row[2]) for row in again)
    best = tomllib.loads((search / "best.toml").read_text())
    assert best["training"]["epochs"] == 2
    assert best["training"]["seed"] == 3
    (wide,) = [best["model"][name] for name in ("decoder_units", "filters") if name in best["model"]]
    assert wide in (8, 12)


def test_the_trials_of_translation_are_configurations_of_train(tmp_path, monkeypatch):
    """The command as it is, around trials that read their configuration and do not train."""

    def run(train, config, workdir, until_epoch, **_):
        settings = load_translation(config)
        assert len(train.corpora.train.sources) == 50
        assert settings.model["name"] == "rnn_search"
        assert settings.model["dropout"] == 0.1
        return {"best_bleu": float(settings.model["decoder_units"]), "epochs": until_epoch or 2, "seconds": 1.0}

    monkeypatch.setattr(configuration_tuner, "run_in_process", run)
    write_pairs(tmp_path)
    options = [
        "--config",
        tmp_path / "config.toml",
        "--space",
        tmp_path / "space.toml",
        "--tsv",
        tmp_path / "pairs.tsv",
    ]
    options += ["--limit", 50, "--workdir", tmp_path / "s", "--trials", 8]
    result = invoke(tune_translation.app, *options, "--method", "bayesian")
    assert result.exit_code == 0, result.output
    best = load_translation(tmp_path / "s" / "best.toml")
    assert best.model["decoder_units"] == 12
    assert best.training.average_decay == 0.9
    assert best.training.epochs == 2


def test_another_search_in_the_same_folder_is_refused(tmp_path, in_this_process):
    write_answers(tmp_path)
    options = ["--config", tmp_path / "config.toml", "--train", tmp_path / "pairs.tsv", "--workdir", tmp_path / "s"]
    options += ["--space", tmp_path / "space.toml", "--method", "random", "--trials", 1, "--epochs", 1]
    assert invoke(tune_answers.app, *options).exit_code == 0
    result = invoke(tune_answers.app, *options, "--seed", 2)
    assert result.exit_code == 2
    assert "another run" in result.output


@pytest.mark.parametrize(
    "options, complaint",
    [
        (["--method", "grid", "--trials", 1], "method='grid'"),
        (["--method", "random"], "no end of its own"),
        (["--model", "lstm"], "model='lstm'"),
        (["--space", "nowhere.toml"], "nowhere.toml"),
        (["--address", "127.0.0.1:9000"], "go together"),
        (["--address", "9000", "--name", "chief"], "host:port"),
    ],
)
def test_what_is_wrong_is_named(options, complaint, tmp_path, in_this_process):
    write_answers(tmp_path)
    named = ["--config", tmp_path / "config.toml", "--train", tmp_path / "pairs.tsv", "--workdir", tmp_path / "never"]
    result = invoke(tune_answers.app, *named, *options)
    assert result.exit_code == 2, result.output
    assert complaint in result.output
    assert not (tmp_path / "never").exists()


def test_hyperband_wants_epochs(tmp_path):
    (tmp_path / "config.toml").write_text(ANSWERS + "minutes = 3\n")
    with pytest.raises(ValueError, match="minutes=3"):
        examples_tuning.starting_configuration(tmp_path / "config.toml", "hyperband")
    assert examples_tuning.starting_configuration(tmp_path / "config.toml", "random", 5)["training"]["epochs"] == 5


@pytest.mark.extended
@pytest.mark.parametrize("task", TASKS)
def test_a_command_that_was_killed_goes_on_where_it_was(task, tmp_path):
    """SIGKILL in the third trial, in processes as they are; then the same command: all as in a search in one go."""
    write, _, _, option, _ = TASKS[task]
    write(tmp_path)

    def command(workdir):
        options = ["--config", tmp_path / "config.toml", "--space", tmp_path / "space.toml"]
        options += [option, tmp_path / "pairs.tsv", "--workdir", workdir, "--factor", "2", "--trials", "4"]
        return [sys.executable, "-m", f"examples.{task}.tune", *map(str, options)]

    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command(tmp_path / "whole"), env=environment, check=True)
    process = subprocess.Popen(command(tmp_path / "cut"), env=environment)
    until = time.monotonic() + 1200
    while not (tmp_path / "cut" / "trials" / "trial_0002" / "run" / "run.json").exists():
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert len([one for one in read_results(tmp_path / "cut") if one.status == "COMPLETED"]) == 2
    subprocess.run(command(tmp_path / "cut"), env=environment, check=True)

    def outcome(folder):
        return [(one.trial, one.status, one.score, one.epochs, one.values) for one in read_results(folder)]

    assert outcome(tmp_path / "cut") == outcome(tmp_path / "whole")
    kept = [(tmp_path / name / "best.toml").read_text().split("[", 1)[1] for name in ("cut", "whole")]
    assert kept[0] == kept[1]
