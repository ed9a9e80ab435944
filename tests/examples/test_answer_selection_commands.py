"""The commands of the answer-selection examples, from files to pictures, on a toy corpus."""

import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from examples.answer_selection import demo, evaluate, index, plot, rank, sizes, train
from examples.answer_selection.run import train_overlap
from keras_attention.answer_selector import AnswerSelector
from keras_attention.data import AnswerSelectionData
from keras_attention.retrieval import WordOverlap

tf = pytest.importorskip("tensorflow")

CONFIG = """
[text]
tokenizer = "{tokenizer}"
lowercase = true
{size}
[data]
question_length = 8
answer_length = 16
batch_size = 16
{data}
[vectors]
frequency_scaled = true
[model]
name = "{name}"
embedding_width = 16
filters = 16
kernel_initializer = "center_tap"
[training]
epochs = {epochs}
learning_rate = 0.01
"""


def config(name="ap_cnn", tokenizer="words", size="", epochs=2, data=""):
    return CONFIG.format(name=name, tokenizer=tokenizer, size=size, epochs=epochs, data=data)


def invoke(app, *arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a corpus, and a selector trained on it by the command."""
    folder = tmp_path_factory.mktemp("answers")
    random = np.random.default_rng(0)
    things, lines = [f"thing{i}" for i in range(30)], {"train.tsv": [], "test.tsv": []}
    for i, thing in enumerate(things):
        for kind, reply in (("colour", "red or blue"), ("size", "large or small")):
            for j in (i, *random.choice([k for k in range(30) if k != i], 3, replace=False)):
                row = f"what {kind} is {thing} ?\tthe {things[j]} is {reply}\t{int(i == j)}"
                lines["test.tsv" if i > 24 else "train.tsv"].append(row)
    for name, rows in lines.items():
        (folder / name).write_text("\n".join(rows) + "\n")
    (folder / "config.toml").write_text(config())
    result = invoke(train.app, *run_arguments(folder))
    assert result.exit_code == 0, result.output
    assert "MRR" in result.output
    assert "BM25" in result.output
    return folder


def run_arguments(folder, name="config.toml", workdir="run", **replaced):
    files = {"train": folder / "train.tsv", "test": folder / "test.tsv", **replaced}
    named = [x for option, path in files.items() for x in (f"--{option}", path)]
    return ["--config", folder / name, "--workdir", folder / workdir, "--verbose", 0, *named]


def test_the_work_directory_has_what_the_readme_says(folder):
    names = {path.name for path in (folder / "run").iterdir()}
    assert {"selector", "history.csv", "best.weights.h5", "last.npz", "run.json"} <= names
    selector = AnswerSelector.load(folder / "run" / "selector")
    assert (selector.question_length, selector.answer_length) == (8, 16)
    assert selector.rank("what colour is thing3 ?", ["the thing9 is red", "the thing3 is red"])[0].place == 1


def test_the_same_command_again_finds_the_run_done_and_another_one_is_refused(folder):
    result = invoke(train.app, *run_arguments(folder))
    assert result.exit_code == 0, result.output
    (folder / "other.toml").write_text(config(epochs=3))
    result = invoke(train.app, *run_arguments(folder, "other.toml"))
    assert result.exit_code == 2
    assert "another run" in result.output


@pytest.mark.parametrize(
    "settings, content, complaint",
    [
        ({}, b"", "empty"),
        ({}, b"one\ttwo\t5\n", "line 1"),
        ({"size": "vocabulary_size = 5000"}, None, "5000"),
        ({"data": "negative_count = 9\nnegatives = 'sampled'\npool_count = 12"}, None, "pool_count=12"),
    ],
)
def test_what_is_wrong_is_named(folder, tmp_path, settings, content, complaint):
    (tmp_path / "config.toml").write_text(config(**settings))
    files = {"train": folder / "train.tsv"}
    if content is not None:
        files["train"] = tmp_path / "bad.tsv"
        files["train"].write_bytes(content)
    result = invoke(train.app, *run_arguments(folder, tmp_path / "config.toml", tmp_path / "never", **files))
    assert result.exit_code == 2, result.output
    assert complaint in result.output
    if complaint != "pool_count=12":
        assert not (tmp_path / "never").exists()


def test_bm25_beside_the_model(folder):
    result = invoke(train.app, *run_arguments(folder), "--with-bm25")
    assert result.exit_code == 0, result.output
    row = r"ap_cnn \+ (\S+) BM25 \(k1 (\S+), b (\S+), stemmer (\S+)\) \S+ "
    ((weight, k1, b, stemmer),) = set(re.findall(row, " ".join(result.output.split())))
    selector = ["--selector", folder / "run" / "selector", "--data", folder / "test.tsv"]
    options = ["--bm25-k1", k1, "--bm25-b", b, *(["--bm25-stemmer", stemmer] if stemmer != "None" else [])]
    again = invoke(evaluate.app, *selector, "--bm25-weight", weight, *options)
    assert again.exit_code == 0, again.output
    assert f"+ {weight} BM25 (k1 {k1}, b {b}, stemmer {stemmer})" in " ".join(again.output.split())
    assert f"+ {weight} BM25" not in " ".join(invoke(evaluate.app, *selector).output.split())


def test_word_overlap_beside_the_model(folder):
    result = invoke(train.app, *run_arguments(folder), "--with-overlap")
    assert result.exit_code == 0, result.output
    assert re.search(r"word overlap \S+ ", " ".join(result.output.split()))
    path = folder / "run" / "overlap.json"
    overlap = WordOverlap.load(path)
    assert overlap.weight >= 0
    overlap.weight = 0.5
    overlap.save(path)
    selector = ["--selector", folder / "run" / "selector"]
    again = invoke(evaluate.app, *selector, "--data", folder / "test.tsv", "--overlap", path)
    assert again.exit_code == 0, again.output
    assert "+ 0.500 word overlap" in " ".join(again.output.split())
    asked = ["--question", "how are you ?", "--answers", folder / "answers.txt"]
    (folder / "answers.txt").write_text("how are you here\nnothing\n")
    scored, plain = invoke(rank.app, *selector, *asked, "--overlap", path), invoke(rank.app, *selector, *asked)
    assert scored.exit_code == 0, scored.output
    assert scored.output != plain.output


def test_word_overlap_takes_the_file_of_vectors(tmp_path):
    """Words that no text holds have a vector too, since answers to come may; unknown ones have none."""
    (tmp_path / "vectors.txt").write_text("red 1 0\nscarlet 0.9 0.1\nwhat 0 1\n")
    data = AnswerSelectionData(["what is red ?", "what ?"], ["it is red", "no", "what"], [[0], [2]], [[0, 1], [2, 1]])
    overlap = train_overlap(data, None, tmp_path / "vectors.txt")
    assert overlap.vector_words == ("red", "scarlet", "what")
    soft = overlap.features("is it red ?", ["a scarlet one", "nothing"])[:, overlap.feature_names.index("soft share")]
    assert soft[0] > soft[1]
    assert train_overlap(data, None).vectors is None


@pytest.mark.parametrize("option", ["--with-bm25", "--with-overlap"])
def test_a_weight_is_not_chosen_on_what_is_reported(folder, option):
    arguments = ["--config", folder / "config.toml", "--workdir", folder / "never", "--train", folder / "train.tsv"]
    result = invoke(train.app, *arguments, option)
    assert result.exit_code == 2
    assert "--test" in result.output
    assert not (folder / "never").exists()


def test_evaluate(folder):
    selector = ["--selector", folder / "run" / "selector"]
    result = invoke(evaluate.app, *selector, "--data", folder / "test.tsv", "--picture", folder / "length.png")
    assert result.exit_code == 0, result.output
    assert "BM25: MRR" in result.output.replace("\n", " ")
    assert (folder / "length.png").stat().st_size > 1000
    assert invoke(evaluate.app, *selector).exit_code == 2
    assert invoke(evaluate.app, "--selector", folder, "--data", folder / "test.tsv").exit_code == 2


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (["runs/a/selector"], ["runs/a/selector"]),
        (["runs/a/selector", "runs/b/selector"], ["a", "b"]),
        (["runs/x/a", "runs/y/b"], ["x/a", "y/b"]),
        (["runs", "runs/a"], ["runs", "runs/a"]),
        (["a/x", "a/b/x"], ["x", "b/x"]),
    ],
)
def test_selectors_are_named_by_what_tells_them_apart(folders, names):
    assert evaluate.distinct_names([Path(folder) for folder in folders]) == names


def test_a_selector_given_twice_is_refused():
    with pytest.raises(ValueError, match="each --selector once"):
        evaluate.distinct_names([Path("a"), Path("a")])


def test_evaluate_wants_one_corpus(folder):
    for named in (["--data", folder / "test.tsv", "--medquad", "test"], ["--medquad", "test", "--wikiqa", folder]):
        result = invoke(evaluate.app, "--selector", folder / "run" / "selector", *named)
        assert result.exit_code == 2
        assert "Expected one corpus" in result.output


def test_rank_among_answers_of_a_file_and_out_of_an_index(folder):
    selector, answers = ["--selector", folder / "run" / "selector"], folder / "answers.txt"
    answers.write_text("".join(f"the thing{i} is red [or blue]\n\n" for i in range(6)))
    asked = ["--question", "what colour is thing3 ?", "--question", "what colour is thing5 ?", "--top-k", 1]
    result = invoke(rank.app, *selector, *asked, "--answers", answers, "--picture", folder / "rank.png")
    assert result.exit_code == 0, result.output
    said = result.output.replace("\n", " ")
    assert "the thing3 is red [or blue]" in said
    assert "the thing5 is red [or blue]" in said
    assert "the thing4" not in said
    assert (folder / "rank.png").stat().st_size > 1000

    result = invoke(rank.app, *selector, *asked)
    assert result.exit_code == 2
    assert "call `index(answers)` first" in result.output
    result = invoke(index.app, *selector, "--answers", answers, "--float16")
    assert result.exit_code == 0, result.output
    assert "6 answers" in result.output
    loaded = AnswerSelector.load(folder / "run" / "selector")
    assert loaded.answer_index.features.dtype == "float16"
    result = invoke(rank.app, *selector, *asked, "--candidates", 2, "--picture", folder / "rank.html")
    assert result.exit_code == 0, result.output
    assert "the thing3 is red [or blue]" in result.output.replace("\n", " ")
    assert "<span" in (folder / "rank.html").read_text("utf-8")


def test_plot_draws_one_pair(folder):
    pair = ["--question", "what colour is <thing3> ?", "--answer", "the thing3 is red & blue"]
    result = invoke(plot.app, "--selector", folder / "run" / "selector", *pair, "--output", folder / "pair.html")
    assert result.exit_code == 0, result.output
    page = (folder / "pair.html").read_text("utf-8")
    assert "&lt;" in page
    assert "&amp;" in page
    assert "<thing3>" not in page
    assert invoke(plot.app, "--selector", folder, *pair).exit_code == 2


def test_sizes_counts_what_the_papers_models_have():
    result = invoke(sizes.app, "--vocabulary-size", 50)
    assert result.exit_code == 0, result.output
    rows = {line.split("│")[1].strip(): line for line in result.output.splitlines() if line.count("│") == 6}
    # U is c x c, and the convolution has a bias.
    expected = {"AP-CNN, paper": (50 * 100, 3 * 100 * 400 + 400, 400 * 400), "QA-CNN, paper": (5000, 804_000, 0)}
    for name, counts in expected.items():
        cells = [cell.strip() for cell in rows[name].split("│")[2:-1]]
        assert cells == [f"{count:,}" for count in (*counts, sum(counts))]
    for name in ("QA-CNN", "QA-biLSTM", "AP-CNN", "AP-biLSTM"):
        assert f"{name}, ours" in result.output
    assert "margin 0.009" in result.output


def test_the_demo_makes_what_it_promises(tmp_path):
    """The demo's own steps on a model that trains for seconds instead of minutes."""
    (tmp_path / "demo.toml").write_text(config(tokenizer="sentence_piece", size="vocabulary_size = 400", epochs=1))
    arguments = ["--config", tmp_path / "demo.toml", "--workdir", tmp_path / "demo", "--limit", 60]
    result = invoke(demo.app, *arguments)
    assert result.exit_code == 0, result.output
    for expected in ("accuracy@1", "MRR", "MAP", "BM25", "What are the symptoms", "SavedModel"):
        assert expected in result.output
    assert (tmp_path / "demo" / "heat_map.png").stat().st_size > 1000
    assert "<span" in (tmp_path / "demo" / "heat_map.html").read_text("utf-8")
    served = tf.saved_model.load(str(tmp_path / "demo" / "saved_model" / "1")).signatures["serving_default"]
    assert served(question=tf.constant(["a"]), answer=tf.constant(["b"]))["similarity"].shape == (1,)


def test_the_demo_wants_an_attentive_model(tmp_path):
    (tmp_path / "demo.toml").write_text(config(name="qa_cnn"))
    result = invoke(demo.app, "--config", tmp_path / "demo.toml", "--workdir", tmp_path / "demo", "--limit", 60)
    assert result.exit_code == 2
    assert "Expected an AP model" in result.output
    assert not (tmp_path / "demo").exists()
