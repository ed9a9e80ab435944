"""Measure one or several selectors on the same questions, beside BM25.

python -m examples.answer_selection.evaluate --selector runs/faq/selector --data test.tsv
"""

import re
from pathlib import Path
from typing import Annotated

import typer

from examples.answer_selection.corpora import open_corpora, read_data
from examples.answer_selection.options import InsuranceQAV1, InsuranceQAV2, TrecQA, WikiQA
from examples.answer_selection.run import print_beside_bm25
from examples.command_line import console, report_errors
from keras_attention.answer_selector import AnswerSelector
from keras_attention.data import encode_texts, read_med_quad
from keras_attention.evaluation import accuracy_by_answer_length, right_answer_lengths
from keras_attention.plotting import plot_accuracy_by_answer_length
from keras_attention.retrieval import WordOverlap

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@report_errors
def evaluate(
    selector: Annotated[list[Path], typer.Option(help="Folder of a saved selector; may be given several times.")],
    data: Annotated[Path | None, typer.Option(help="Questions with their candidates.")] = None,
    format: Annotated[str, typer.Option(help="Of this file: tsv, jsonl, wikiqa or trecqa.")] = "tsv",
    medquad: Annotated[str, typer.Option(help="Instead, of the embedded corpus: train, validation or test.")] = "",
    insuranceqa_v1: InsuranceQAV1 = None,
    insuranceqa_v2: InsuranceQAV2 = None,
    trecqa: TrecQA = None,
    wikiqa: WikiQA = None,
    bm25_weight: Annotated[
        float | None,
        typer.Option(help="Report also similarity + weight x BM25; `train --with-bm25` says which weight."),
    ] = None,
    bm25_k1: Annotated[float, typer.Option(help="Of that BM25.")] = 1.2,
    bm25_b: Annotated[float, typer.Option(help="Of that BM25.")] = 0.75,
    bm25_stemmer: Annotated[str | None, typer.Option(help="Of that BM25, such as english.")] = None,
    overlap: Annotated[
        Path | None, typer.Option(help="Report also the word overlap that `train --with-overlap` saved, and the sum.")
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw accuracy by the length of the right answers here.")] = None,
):
    """Print accuracy at 1, MRR, MAP and NDCG beside BM25's; draw accuracy by answer length.

    Of a public set the parts that are reported are measured, each in its protocol.
    """
    folders = {
        "insuranceqa_v1": insuranceqa_v1,
        "insuranceqa_v2": insuranceqa_v2,
        "trecqa": trecqa,
        "wikiqa": wikiqa,
    }
    if sum(map(bool, (data, medquad, *folders.values()))) != 1:
        raise ValueError(
            f"Expected one corpus: --data, --medquad, or the folder of a public set. "
            f"Received: data={data}, medquad={medquad!r} and {sum(map(bool, folders.values()))} folders"
        )
    if data:
        parts = {data.name: read_data(data, format)}
    elif medquad:
        parts = {f"MedQuAD {medquad}": read_med_quad(medquad)}
    else:
        parts = open_corpora(**folders).reported
        if not parts:
            folder = next(filter(None, folders.values()))
            raise ValueError(f"Expected a part to report in the folder, not only the training part. Received: {folder}")
    beside = None
    if bm25_weight is not None:
        beside = {"weight": bm25_weight, "k1": bm25_k1, "b": bm25_b, "stemmer": bm25_stemmer}
    overlap = WordOverlap.load(overlap) if overlap else None
    selectors = dict(zip(distinct_names(selector), map(AnswerSelector.load, selector)))
    for name, questions in parts.items():
        results = print_beside_bm25(selectors, questions, title=name, beside=beside, overlap=overlap)
        if picture:
            named = re.sub(r"\W+", "-", name)
            path = picture if len(parts) == 1 else picture.with_stem(f"{picture.stem}-{named}")
            tokenizer = next(iter(selectors.values())).tokenizer
            draw_accuracy_by_length(results, questions, tokenizer, path, title=name)
            console.print(f"Drawn: {path}", highlight=False)


def distinct_names(folders):
    """Return a name for each folder: its path without what all paths begin and end with; one alone as it is."""
    if len(set(folders)) < len(folders):
        raise ValueError(f"Expected each --selector once. Received: {', '.join(map(str, folders))}")
    paths = [folder.resolve().parts for folder in folders]
    if len(paths) < 2:
        return [str(folder) for folder in folders]
    while len({path[0] for path in paths}) == 1 and min(map(len, paths)) > 1:
        paths = [path[1:] for path in paths]
    while len({path[-1] for path in paths}) == 1 and min(map(len, paths)) > 1:
        paths = [path[:-1] for path in paths]
    return [str(Path(*path)) for path in paths]


def draw_accuracy_by_length(results, data, tokenizer, path, title=None):
    """Draw accuracy at 1 against the length of the right answers, one line for each of `results`.

    Args:
        results: Dict from a name to what `evaluate_answer_selection` returned, all on `data`.
        data: The `AnswerSelectionData`.
        tokenizer: What counts an answer's tokens.
        path: Picture to write.
        title: Text above it.
    """
    tokens = (encode_texts(data.answers, tokenizer, maximum_length=1000) != 0).sum(axis=1)
    candidates, labels = data.pool_matrix()
    lengths = right_answer_lengths(labels, tokens[candidates])
    curves = {
        name: accuracy_by_answer_length(result["values"]["accuracy_at_1"], lengths) for name, result in results.items()
    }
    plot_accuracy_by_answer_length(curves, title=title).savefig(path, bbox_inches="tight")


if __name__ == "__main__":
    app()
