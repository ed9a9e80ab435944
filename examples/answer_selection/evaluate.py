"""Measure one or several selectors on the same questions, beside BM25.

python -m examples.answer_selection.evaluate --selector runs/faq/selector --data test.tsv
"""

from pathlib import Path
from typing import Annotated

import typer

from examples.answer_selection.corpora import read_data
from examples.answer_selection.run import print_beside_bm25
from examples.command_line import console, report_errors
from keras_attention.answer_selector import AnswerSelector
from keras_attention.data import encode_texts, read_med_quad
from keras_attention.evaluation import accuracy_by_answer_length, right_answer_lengths
from keras_attention.plotting import plot_accuracy_by_answer_length

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@report_errors
def evaluate(
    selector: Annotated[list[Path], typer.Option(help="Folder of a saved selector; may be given several times.")],
    data: Annotated[Path | None, typer.Option(help="Questions with their candidates.")] = None,
    format: Annotated[str, typer.Option(help="Of this file: tsv, jsonl, wikiqa or trecqa.")] = "tsv",
    medquad: Annotated[str, typer.Option(help="Instead, of the embedded corpus: train, validation or test.")] = "",
    picture: Annotated[Path | None, typer.Option(help="Draw accuracy by the length of the right answers here.")] = None,
):
    """Print accuracy at 1, MRR, MAP and NDCG beside BM25's; draw accuracy by answer length."""
    if bool(data) == bool(medquad):
        raise ValueError(f"Expected --data or --medquad. Received: data={data}, medquad={medquad!r}")
    questions = read_med_quad(medquad) if medquad else read_data(data, format)
    selectors = {str(folder): AnswerSelector.load(folder) for folder in selector}
    results = print_beside_bm25(selectors, questions)
    if picture:
        tokenizer = next(iter(selectors.values())).tokenizer
        tokens = (encode_texts(questions.answers, tokenizer, maximum_length=1000) != 0).sum(axis=1)
        candidates, labels = questions.pool_matrix()
        lengths = right_answer_lengths(labels, tokens[candidates])
        curves = {
            name: accuracy_by_answer_length(result["values"]["accuracy_at_1"], lengths)
            for name, result in results.items()
        }
        plot_accuracy_by_answer_length(curves).savefig(picture, bbox_inches="tight")
        console.print(f"Drawn: {picture}")


if __name__ == "__main__":
    app()
