"""Train the answer selector of `saved_models/` and write it, answers inside, with its card; half of `make models`.

python -m examples.answer_selection.ready_model
"""

import shutil
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from examples.answer_selection.config import load_config
from examples.answer_selection.corpora import Corpora, open_corpora
from examples.answer_selection.run import print_beside_bm25, run_training
from examples.command_line import console, report_errors
from examples.model_card import place_model, shown_path, write_model_card

CONFIG = Path(__file__).parent / "configs" / "demo.toml"
TOP_K = 5
USE = """
import tensorflow as tf, tensorflow_text

serve = tf.saved_model.load("{path}").signatures["serving_default"]
serve(question=tf.constant(["What are the symptoms of anemia ?"]))["answers"]
"""
DATA = """
Trained on a share of [MedQuAD](https://doi.org/10.1186/s12859-019-3119-4) that comes with the package
(`keras_attention/datasets/medquad`), and holding the answers of that share: Asma Ben Abacha and Dina Demner-Fushman, *A
Question-Entailment Approach to Question Answering*, BMC Bioinformatics 20, 511 (2019), from web sites of the National
Institutes of Health, under Creative Commons Attribution 4.0. First word vectors: GloVe 6B (Pennington, Socher and
Manning 2014), Public Domain Dedication and License 1.0. Whoever passes the model on names them. The code is under
Apache 2.0.
"""
LIMITS = [
    "It is no medical advice: the answers were collected years ago, parts are out of date, and the best match may "
    "answer another question. It shows what the package does.",
    "It knows the answers inside it and no others. A question about something else gets answers all the same; the "
    "score says how alike question and answer are to the model, not whether the answer is right.",
    "English only; questions are read up to {question_length} tokens, answers up to {answer_length}.",
    "The figures are those of the test part, whose diseases training has not seen. The index holds all three parts, so "
    "with questions from the training part it does better.",
]

LIMIT_OF_BM25 = "Candidates come from BM25, so an answer that shares no word with the question is not found."

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@report_errors
def ready_model(
    directory: Annotated[Path, typer.Option(help="Folder of the model; versions are folders inside.")] = Path(
        "saved_models/medquad_answers"
    ),
    workdir: Annotated[Path, typer.Option(help="Folder of the run; the same one again goes on.")] = Path(
        "runs/medquad_answers"
    ),
    config: Annotated[Path, typer.Option(help="Configuration file, TOML.")] = CONFIG,
    version: Annotated[int, typer.Option(help="An earlier one of this number is replaced.")] = 1,
    limit: Annotated[int, typer.Option(help="Questions of each part; 0 for all.")] = 0,
    verbose: Annotated[int, typer.Option(help="1: progress bar; 2: a line an epoch; 0: silent.")] = 1,
):
    """Train, measure beside BM25, index the answers of all parts, export, and write the model card."""
    settings = load_config(config)
    corpora = open_corpora(medquad=True)
    parts = (corpora.train, corpora.validation, corpora.test)
    if limit:
        parts = tuple(part.select(range(min(limit, len(part.questions)))) for part in parts)
        corpora = Corpora(parts[0], parts[1], {"test": parts[2]})
    test = parts[2]
    selector, record = run_training(settings, corpora, workdir, verbose)
    name = settings.model["name"]
    results = print_beside_bm25({name: selector}, test, title="The test part")
    figures = {
        f"{metric} of {len(test.questions):,} test questions, 20 candidates each": f"{results[name][key]:.3f} "
        f"(BM25 {results['BM25'][key]:.3f})"
        for key, metric in (("accuracy_at_1", "accuracy at 1"), ("mrr", "MRR"), ("map", "MAP"))
    }
    answers = list(dict.fromkeys(answer for part in parts for answer in part.answers))
    selector.index(answers)
    figures.update(_search_figures(selector, test))
    # The features of an AP model's answers are many times the size of their text.
    staging = workdir / "export" / directory.name
    shutil.rmtree(staging, ignore_errors=True)  # of a run that was stopped
    exported = selector.export_with_index(staging, version, top_k=TOP_K, encode_when_asked=selector.has_weights)
    path = place_model(exported, directory)
    options = "" if config == CONFIG else f" --config {shown_path(config)}"
    card = write_model_card(
        path,
        title="Answers to health questions",
        summary=f"Finds the answers to a question among {len(answers):,} of MedQuAD that it holds: "
        f"{type(selector.model).__name__}, {selector.model.count_params():,} parameters, strings in and strings out.",
        use=USE.format(path=path),
        data=DATA,
        command=f"python -m examples.answer_selection.ready_model{options}    # or: make models",
        record={
            "seed": settings.training.seed,
            "training questions": f"{len(corpora.train.questions):,}",
            "best epoch": f"{record['best_epoch']} of {record['epochs']}",
            "minutes of training and validation": f"{record['seconds'] / 60:.1f}",
            f"validation {settings.training.monitor}": f"{record[f'best_{settings.training.monitor}']:.3f} on "
            f"{len(corpora.validation.questions):,} questions",
            "configuration": f"`{shown_path(config)}`",
        },
        figures=figures,
        limits=[
            *(sentence.format(**settings.lengths) for sentence in LIMITS),
            *([LIMIT_OF_BM25] if selector.has_weights else []),
        ],
    )
    console.print(f"Exported, checked, reloaded and compared: {path}\nModel card: {card}")


def _search_figures(selector, data):
    """Return how often a right answer comes first, or among the first, when all of the index is searched."""
    found = selector.search(data.questions, TOP_K)
    right = [{data.answers[i] for i in gold} for gold in data.gold]
    hits = np.array([[one.text in texts for one in row] for row, texts in zip(found, right)])
    where = f"searching all {len(selector.answers):,} answers, test questions"
    return {
        f"right answer first, {where}": f"{hits[:, 0].mean():.3f}",
        f"right answer among the first {hits.shape[1]}": f"{hits.any(axis=1).mean():.3f}",
    }


if __name__ == "__main__":
    app()
