"""The commands of the translation examples, from files to pictures, on a toy corpus."""

import numpy as np
import pytest
from typer.testing import CliRunner

from examples.translation import demo, evaluate, export, plot, train, translate

tf = pytest.importorskip("tensorflow")

CONFIG = """
[text]
vocabulary_size = {size}
[data]
batch_size = 16
bucket_count = 2
[model]
name = "rnn_search"
embedding_dim = 16
encoder_units = 16
decoder_units = 24
maxout_units = 16
[training]
epochs = {epochs}
learning_rate = 0.01
warmup_steps = 4
"""


def invoke(app, *arguments, **more):
    return CliRunner().invoke(app, [str(a) for a in arguments], **more)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a corpus, and a translator trained on it by the command."""
    folder = tmp_path_factory.mktemp("translation")
    words = [" ".join(row) for row in np.random.default_rng(0).choice(["red", "blue", "green", "one", "two"], (300, 3))]
    (folder / "source.txt").write_text("\n".join(words) + "\n")
    (folder / "target.txt").write_text("\n".join(text[::-1] for text in words) + "\n")
    (folder / "config.toml").write_text(CONFIG.format(size=40, epochs=2))
    result = invoke(train.app, *run_arguments(folder))
    assert result.exit_code == 0, result.output
    return folder


def run_arguments(folder, config="config.toml", workdir="run", **replaced):
    files = {"source": folder / "source.txt", "target": folder / "target.txt", **replaced}
    named = [x for name, path in files.items() for x in (f"--{name}", path)]
    return ["--config", folder / config, "--workdir", folder / workdir, "--verbose", 0, *named]


def test_the_work_directory_has_what_the_readme_says(folder):
    names = {path.name for path in (folder / "run").iterdir()}
    assert {"translator", "history.csv", "best.weights.h5", "last.npz", "run.json"} <= names


def test_the_same_command_again_finds_the_run_done(folder):
    result = invoke(train.app, *run_arguments(folder))
    assert result.exit_code == 0, result.output
    assert "epoch" in result.output


def test_another_configuration_is_refused(folder):
    (folder / "other.toml").write_text(CONFIG.format(size=40, epochs=3))
    result = invoke(train.app, *run_arguments(folder, "other.toml"))
    assert result.exit_code == 2
    assert "another run" in result.output


@pytest.mark.parametrize(
    "content, complaint",
    [(b"", "without text"), (b"one\ntwo\n", "300"), (b"fine\n\xff\xfe\n", "UTF-8")],
)
def test_bad_files_are_named_before_training(folder, tmp_path, content, complaint):
    bad = tmp_path / "bad.txt"
    bad.write_bytes(content)
    result = invoke(train.app, *run_arguments(folder, workdir="never", target=bad))
    assert result.exit_code == 2
    assert "bad.txt" in result.output.replace("\n", "")
    assert complaint in result.output
    assert not (folder / "never").exists()


def test_a_vocabulary_too_large_is_named_before_training(folder):
    (folder / "large.toml").write_text(CONFIG.format(size=5000, epochs=2))
    result = invoke(train.app, *run_arguments(folder, "large.toml", "large"))
    assert result.exit_code == 2
    assert "5000" in result.output


def test_evaluate_translate_plot_and_export(folder):
    translator = ["--translator", folder / "run" / "translator"]
    pairs = ["--source", folder / "source.txt", "--target", folder / "target.txt"]
    result = invoke(evaluate.app, *translator, *pairs, "--picture", folder / "length.png")
    assert result.exit_code == 0, result.output
    assert (folder / "length.png").stat().st_size > 1000
    result = invoke(translate.app, *translator, input="red blue one\n\n")
    assert result.exit_code == 0, result.output
    assert len(result.output.splitlines()) == 2
    result = invoke(translate.app, *translator, "--seed", 1, "--top-p", 0.9, input="red blue one\n")
    assert result.exit_code == 0, result.output
    result = invoke(plot.app, *translator, "--sentence", "red two", "--output", folder / "alignment.png")
    assert result.exit_code == 0, result.output
    assert (folder / "alignment.png").stat().st_size > 1000
    result = invoke(export.app, *translator, "--directory", folder / "served")
    assert result.exit_code == 0, result.output
    served = tf.saved_model.load(str(folder / "served" / "1")).signatures["serving_default"]
    assert served(text=tf.constant(["red two"]))["translation"].shape == (1,)


def test_the_demo_makes_what_it_promises(folder):
    """The demo's own steps on a model that trains for seconds instead of minutes."""
    (folder / "demo.toml").write_text(
        CONFIG.format(size=200, epochs=9).replace("batch_size = 16", "batch_size = 64")
        + 'schedule = "cosine_over_minutes"\nminutes = 0.05\n'
    )
    workdir = folder / "demo"
    result = invoke(
        demo.app, "--config", folder / "demo.toml", "--workdir", workdir, "--test-pairs", 20, "--limit", 400
    )
    assert result.exit_code == 0, result.output
    assert "BLEU" in result.output
    assert (workdir / "alignment.png").stat().st_size > 1000
    assert (workdir / "saved_model" / "1" / "saved_model.pb").exists()
