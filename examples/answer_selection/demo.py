"""From questions and answers to a served selector in a few minutes: `make demo-answers`.

Trains AP-CNN on the embedded share of MedQuAD, measures it beside BM25 on diseases it has not seen, asks a question,
draws what was looked at, and writes a SavedModel that scores strings.
"""

import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from examples.answer_selection.config import load_config
from examples.answer_selection.corpora import Corpora, open_corpora
from examples.answer_selection.heat_map import write_heat_map
from examples.answer_selection.run import print_beside_bm25, run_training
from examples.command_line import console, report_errors

CONFIG = Path(__file__).parent / "configs" / "demo.toml"
QUESTION = "What are the symptoms of Eisenmenger syndrome ?"
SHOWN = 160  # characters of an answer in the table

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@report_errors
def demo(
    workdir: Annotated[Path, typer.Option(help="Folder of the demo; made anew.")] = Path("demo-answers"),
    config: Annotated[Path, typer.Option(help="Configuration file, TOML; of an AP model.")] = CONFIG,
    question: Annotated[str, typer.Option(help="What to ask the answers of the test part.")] = QUESTION,
    limit: Annotated[int, typer.Option(help="Questions of each part; 0 for all.")] = 0,
):
    """Train, measure, ask, draw and export."""
    settings = load_config(config)
    if not settings.model["name"].startswith("ap_"):
        raise ValueError(f"Expected an AP model, which has weights to draw. Received: name={settings.model['name']!r}")
    run = workdir / "run"
    if (run / "run.json").exists():
        shutil.rmtree(run)  # an earlier demo
    corpora = open_corpora(medquad=True)
    parts = [corpora.train, corpora.validation, *corpora.reported.values()]
    if limit:
        parts = [part.select(range(min(limit, len(part.questions)))) for part in parts]
    *parts, test = parts
    selector, _ = run_training(settings, Corpora(*parts), run)
    print_beside_bm25(
        {settings.model["name"]: selector},
        test,
        title=f"{len(test.questions):,} questions about diseases not seen in training, 20 candidates each",
    )

    selector.index(test.answers)
    found = selector.search(question, top_k=3, return_weights=True)
    right = {test.answers[i] for q, gold in zip(test.questions, test.gold) if q == question for i in gold}
    table = Table("Score", "Answer", title=f"{question}\nthe best of {len(selector.answers):,} answers")
    for one in found:
        mark = "[green](right)[/green] " if one.text in right else ""
        table.add_row(f"{one.score:.3f}", mark + _shortened(one.text))
    console.print(table)

    picture, page = (write_heat_map(found[0], workdir / name) for name in ("heat_map.png", "heat_map.html"))
    exported = selector.export(workdir / "saved_model")
    console.print(
        f"Heat map of the best answer: {picture} and {page}\nSavedModel, reloaded and compared: {exported}\n"
        "Use it:\n"
        "  import tensorflow as tf, tensorflow_text\n"
        f"  serve = tf.saved_model.load({str(exported)!r}).signatures\n"
        "  serve['serving_default'](question=tf.constant(['...']), answer=tf.constant(['...']))['similarity']\n"
        "  serve['rank'](question=tf.constant(['...']), answers=tf.constant(['...', '...']))['order']",
        highlight=False,
        markup=False,
    )


def _shortened(text):
    text = text if len(text) <= SHOWN else text[:SHOWN].rsplit(" ", 1)[0] + " ..."
    return text.replace("[", "\\[")


if __name__ == "__main__":
    app()
