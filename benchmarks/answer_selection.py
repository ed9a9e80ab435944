"""The four answer-selection models under equal budgets, with seeds, beside BM25: one table for each reported part.

python -m benchmarks.answer_selection --insuranceqa-v2 insuranceqa/V2 --vectors glove.6B.50d.txt \
        --seed 1 --seed 2 --seed 3 --minutes 12 --workdir runs/comparison

Every run has a folder of its own in the work directory; the same command again takes up what was cut off and measures
nothing twice. `--config` chooses other configurations than those of the four models on InsuranceQA.
"""

import dataclasses
import gc
import itertools
import json
from pathlib import Path
from typing import Annotated

import keras
import numpy as np
import typer
from rich.markup import escape
from rich.table import Table

from examples.answer_selection.config import load_config
from examples.answer_selection.corpora import open_corpora
from examples.answer_selection.options import InsuranceQAV1, InsuranceQAV2, TrecQA, Vectors, VectorsWords, WikiQA
from examples.answer_selection.run import evaluate_bm25, evaluate_selector, run_record, run_training
from examples.command_line import console, report_errors
from keras_attention.evaluation import answer_selection_table, average_results
from keras_attention.metrics.paired_bootstrap import paired_bootstrap
from keras_attention.training.workdir import claim_workdir

CONFIGS = Path(__file__).parents[1] / "examples" / "answer_selection" / "configs"
DEFAULT = [CONFIGS / f"insuranceqa_{name}.toml" for name in ("qa_cnn", "qa_bilstm", "ap_cnn", "ap_bilstm")]
NAMES = {"qa_cnn": "QA-CNN", "qa_bilstm": "QA-biLSTM", "ap_cnn": "AP-CNN", "ap_bilstm": "AP-biLSTM"}
FIGURES = {"accuracy_at_1": "accuracy@1", "mrr": "MRR", "map": "MAP", "ndcg_at_10": "NDCG@10"}
RESULT = "figures.json"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@report_errors
def compare(
    workdir: Annotated[Path, typer.Option(help="Folder of all runs; the same one again goes on where it stopped.")],
    config: Annotated[list[Path] | None, typer.Option(help="Configurations, one a model; given several times.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Given several times; 1 if not given.")] = None,
    minutes: Annotated[float, typer.Option(help="No epoch of a run is begun after this; 0 for no limit.")] = 0.0,
    epochs: Annotated[int, typer.Option(help="Of every run; 0 for those of its configuration.")] = 0,
    limit: Annotated[int, typer.Option(help="Training questions, to try the command; 0 for all.")] = 0,
    train: Annotated[Path | None, typer.Option(help="Questions and answers of your own to train on.")] = None,
    validation: Annotated[Path | None, typer.Option(help="Held out from --train if not given.")] = None,
    test: Annotated[Path | None, typer.Option(help="What is reported of your own.")] = None,
    format: Annotated[str, typer.Option(help="Of these files: tsv, jsonl, wikiqa or trecqa.")] = "tsv",
    medquad: Annotated[bool, typer.Option(help="Instead: the embedded corpus.")] = False,
    insuranceqa_v1: InsuranceQAV1 = None,
    insuranceqa_v2: InsuranceQAV2 = None,
    trecqa: TrecQA = None,
    wikiqa: WikiQA = None,
    vectors: Vectors = None,
    vectors_words: VectorsWords = None,
    verbose: Annotated[int, typer.Option(help="1: progress bar; 2: a line an epoch; 0: silent.")] = 2,
):
    """Train every model with every seed, and print how they stand beside BM25 and beside each other."""
    settings = [load_config(path) for path in config or DEFAULT]
    if vectors:
        settings = [one.with_vectors(vectors, vectors_words) for one in settings]
    names = [one.model["name"] for one in settings]
    if len(set(names)) < len(names):
        raise ValueError(f"Expected each model once among the configurations. Received: {names}")
    corpora = open_corpora(train, validation, test, format, medquad, insuranceqa_v1, insuranceqa_v2, trecqa, wikiqa)
    if limit:
        corpora = dataclasses.replace(
            corpora, train=corpora.train.select(range(min(limit, len(corpora.train.questions))))
        )
    parts = corpora.reported or {"The validation part": corpora.validation}
    corpora = dataclasses.replace(corpora, reported=parts)

    runs = {}
    for one, number in itertools.product(settings, seed or [1]):
        budget = {"seed": number, **({"epochs": epochs} if epochs else {}), **({"minutes": minutes} if minutes else {})}
        one = dataclasses.replace(one, training=dataclasses.replace(one.training, **budget))
        folder = workdir / f"{one.model['name']}-seed{number}"
        runs.setdefault(NAMES[one.model["name"]], []).append(run_once(one, corpora, folder, verbose))
        keras.backend.clear_session()
        gc.collect()
    for part, data in parts.items():
        print_comparison(part, evaluate_bm25(data), runs)


def run_once(config, corpora, folder, verbose=0):
    """Train and measure one model with one seed, or read what an earlier command measured.

    Args:
        config: An `AnswerSelectionConfig`.
        corpora: The corpora.
        folder: Folder of the run.
        verbose: As in `model.fit`.

    Returns:
        A dict: `seed`, `minutes` of training and validation, `epochs`, `best_epoch`, `parameters`, and `parts`, a dict
        from the name of a reported part to what `evaluate_answer_selection` returned.
    """
    # Refused if it is the folder of another run, before anything of it is read.
    path = claim_workdir(folder, run_record(config, corpora)) / RESULT
    if not path.exists():
        selector, record = run_training(config, corpora, folder, verbose)
        found = {
            "seed": config.training.seed,
            "minutes": record["seconds"] / 60,
            "epochs": record["epochs"],
            "best_epoch": record["best_epoch"],
            "parameters": selector.model.count_params(),
            "parts": {part: evaluate_selector(selector, data) for part, data in corpora.reported.items()},
        }
        temporary = path.with_suffix(".partial")
        temporary.write_text(json.dumps(found, default=lambda values: values.tolist()), encoding="utf-8")
        temporary.replace(path)
    found = json.loads(path.read_text(encoding="utf-8"))
    missing = [part for part in corpora.reported if part not in found["parts"]]
    if missing:
        raise ValueError(f"{path} was measured on other parts: expected {missing}. Take a new work directory")
    for result in found["parts"].values():
        result["values"] = {name: np.array(values, dtype="float64") for name, values in result["values"].items()}
    return found


def print_comparison(part, bm25, runs):
    """Print the table of one reported part, the runs behind it, and attentive pooling against max pooling.

    Args:
        part: Name of the part.
        bm25: What `evaluate_answer_selection` returned for BM25.
        runs: Dict from a model's name to the list of what `run_once` returned, one a seed.
    """
    averaged = {name: average_results([run["parts"][part] for run in of_model]) for name, of_model in runs.items()}
    seeds = len(next(iter(runs.values())))
    results = {"BM25": bm25, **averaged}
    console.print(answer_selection_table(results, title=f"{part}: means of {seeds} seeds" if seeds > 1 else part))
    table = Table("", "Seeds", "accuracy@1 of each", "MRR of each", "Minutes", "Epochs", "Parameters")
    for name, of_model in runs.items():
        each = {
            figure: " ".join(f"{run['parts'][part][figure]:.3f}" for run in of_model)
            for figure in ("accuracy_at_1", "mrr")
        }
        numbers = {
            key: " ".join(f"{run[key]:{form}}" for run in of_model) for key, form in (("seed", "d"), ("epochs", "d"))
        }
        minutes = " ".join(f"{run['minutes']:.1f}" for run in of_model)
        table.add_row(
            name, numbers["seed"], *each.values(), minutes, numbers["epochs"], f"{of_model[0]['parameters']:,}"
        )
    console.print(table)
    pairs = [(name, "BM25") for name in averaged]
    pairs += [(f"AP-{encoder}", f"QA-{encoder}") for encoder in ("CNN", "biLSTM")]
    for first, second in pairs:
        if {first, second} <= set(results):
            console.print(escape(describe_difference(results, first, second)), highlight=False)


def describe_difference(results, first, second):
    """Say of every figure by how much the first of two systems is ahead, with the interval of the paired bootstrap."""
    said = []
    for figure, name in FIGURES.items():
        one = paired_bootstrap(results[first]["values"][figure], results[second]["values"][figure])
        verdict = "not distinguishable"
        if one.lower > 0 or one.upper < 0:
            verdict = "ahead" if one.lower > 0 else "behind"
        said.append(f"{name} {one.difference:+.3f} [{one.lower:+.3f}, {one.upper:+.3f}] {verdict}")
    return f"{first} against {second}: " + "; ".join(said) + "."


if __name__ == "__main__":
    app()
