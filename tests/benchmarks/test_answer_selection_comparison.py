"""The comparison of models: runs with seeds in folders of their own, measured once, and laid side by side."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks import answer_selection as comparison

CONFIG = """
[text]
tokenizer = "words"
[data]
question_length = 6
answer_length = 8
batch_size = 8
[model]
name = "{name}"
embedding_width = 8
filters = 8
[training]
epochs = 4
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparison")
    rows = [f"what is thing{i} ?\tthe thing{j} is this\t{int(i == j)}" for i in range(24) for j in (i, (i + 5) % 24)]
    (folder / "train.tsv").write_text("\n".join(rows) + "\n")
    for name in ("qa_cnn", "ap_cnn"):
        (folder / f"{name}.toml").write_text(CONFIG.format(name=name))
    return folder


def compare(folder, *further, workdir="runs"):
    corpus = ["--train", folder / "train.tsv", "--test", folder / "train.tsv", "--workdir", folder / workdir]
    return CliRunner().invoke(comparison.app, [str(x) for x in (*corpus, "--verbose", 0, *further)])


def models(folder):
    return ["--config", folder / "qa_cnn.toml", "--config", folder / "ap_cnn.toml"]


def test_every_model_with_every_seed_and_nothing_twice(folder, monkeypatch):
    arguments = [*models(folder), "--seed", 1, "--seed", 2, "--epochs", 1]
    result = compare(folder, *arguments)
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    for expected in ("BM25", "means of 2 seeds", "AP-CNN against QA-CNN: accuracy@1", "24 questions"):
        assert expected in said
    names = {"qa_cnn-seed1", "qa_cnn-seed2", "ap_cnn-seed1", "ap_cnn-seed2"}
    assert {path.name for path in (folder / "runs").iterdir()} == names
    figures = json.loads((folder / "runs" / "ap_cnn-seed2" / "figures.json").read_text())
    assert (figures["seed"], figures["epochs"]) == (2, 1)
    assert len(figures["parts"]["The test part"]["values"]["mrr"]) == 24

    def never(*arguments):
        raise AssertionError("measured already")

    monkeypatch.setattr(comparison, "run_training", never)
    again = compare(folder, *arguments)
    assert again.exit_code == 0, again.output
    assert again.output.split()[-40:] == result.output.split()[-40:]
    other = compare(folder, *models(folder), "--seed", 1, "--epochs", 2)
    assert other.exit_code == 2
    assert "another run" in other.output


def test_a_model_may_stand_there_once(folder):
    result = compare(folder, "--config", folder / "qa_cnn.toml", "--config", folder / "qa_cnn.toml", workdir="never")
    assert result.exit_code == 2
    assert "each model once" in result.output
    assert not (folder / "never").exists()


def test_the_difference_is_said_with_its_interval():
    ahead = {figure: np.ones(40) for figure in comparison.FIGURES}
    behind = {figure: np.zeros(40) for figure in comparison.FIGURES}
    results = {"AP-CNN": {"values": ahead}, "QA-CNN": {"values": behind}}
    assert "MRR +1.000 [+1.000, +1.000] ahead" in comparison.describe_difference(results, "AP-CNN", "QA-CNN")
    assert "MRR -1.000 [-1.000, -1.000] behind" in comparison.describe_difference(results, "QA-CNN", "AP-CNN")
    assert "+0.000, +0.000] not distinguishable" in comparison.describe_difference(results, "QA-CNN", "QA-CNN")
