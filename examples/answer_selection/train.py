"""Train an answer-selection model on your own questions and answers.

python -m examples.answer_selection.train --config examples/answer_selection/configs/demo.toml \
        --train faq.tsv --workdir runs/faq
"""

import re
from pathlib import Path
from typing import Annotated

import typer

from examples.answer_selection.config import load_config
from examples.answer_selection.corpora import open_corpora
from examples.answer_selection.options import InsuranceQAV1, InsuranceQAV2, TrecQA, Vectors, VectorsWords, WikiQA
from examples.answer_selection.run import (
    choose_bm25,
    choose_overlap_weight,
    print_beside_bm25,
    run_training,
    score_by_selector,
    train_overlap,
)
from examples.command_line import report_errors

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@report_errors
def train(
    config: Annotated[Path, typer.Option(help="Configuration file, TOML.")],
    workdir: Annotated[Path, typer.Option(help="Folder of the run; the same one again goes on where it stopped.")],
    train: Annotated[Path | None, typer.Option(help="Questions and answers to train on.")] = None,
    validation: Annotated[Path | None, typer.Option(help="Held out from --train if not given.")] = None,
    test: Annotated[Path | None, typer.Option(help="Reported at the end.")] = None,
    format: Annotated[str, typer.Option(help="Of these files: tsv, jsonl, wikiqa or trecqa.")] = "tsv",
    medquad: Annotated[bool, typer.Option(help="Instead: the embedded corpus.")] = False,
    insuranceqa_v1: InsuranceQAV1 = None,
    insuranceqa_v2: InsuranceQAV2 = None,
    trecqa: TrecQA = None,
    wikiqa: WikiQA = None,
    vectors: Vectors = None,
    vectors_words: VectorsWords = None,
    with_bm25: Annotated[
        bool, typer.Option(help="Report also similarity + weight x BM25, both chosen on the validation part.")
    ] = False,
    with_overlap: Annotated[
        bool,
        typer.Option(
            help="Report also similarity + weight x word overlap; saved to <workdir>/overlap.json, vectors beside it."
        ),
    ] = False,
    overlap_stemmer: Annotated[str, typer.Option(help="Of that overlap; an empty one for none.")] = "english",
    mirrored: Annotated[bool, typer.Option(help="On every GPU of this host together.")] = False,
    verbose: Annotated[int, typer.Option(help="1: progress bar; 2: a line an epoch; 0: silent.")] = 1,
):
    """Train, report the figures beside BM25's, and save a selector to <workdir>/selector."""
    settings = load_config(config)
    if vectors:
        settings = settings.with_vectors(vectors, vectors_words)
    corpora = open_corpora(train, validation, test, format, medquad, insuranceqa_v1, insuranceqa_v2, trecqa, wikiqa)
    if with_bm25 and not corpora.reported:
        raise ValueError("--with-bm25 chooses on the validation part: give a --test to report. Received: none")
    if with_overlap and not corpora.reported:
        raise ValueError("--with-overlap chooses on the validation part: give a --test to report. Received: none")
    overlap = None
    if with_overlap:
        overlap = train_overlap(corpora.train, overlap_stemmer or None, *settings.vector_files)
    selector, _ = run_training(settings, corpora, workdir, verbose, mirrored=mirrored)
    for name, data in (corpora.reported or {"The validation part": corpora.validation}).items():
        like = corpora.like_reported.get(name, corpora.validation)
        scores = score_by_selector(selector, like) if with_bm25 or with_overlap else None
        beside = choose_bm25(scores, like) if with_bm25 else None
        if with_overlap:
            overlap.weight = choose_overlap_weight(scores, overlap, like)
            overlap.save(overlap_path(workdir, name, corpora))
        print_beside_bm25({settings.model["name"]: selector}, data, title=name, beside=beside, overlap=overlap)


def overlap_path(workdir, name, corpora):
    """Return where the word overlap is saved: its weight is that of one reported part."""
    part = "" if len(corpora.reported) < 2 else "-" + re.sub(r"\W+", "-", name)
    return workdir / f"overlap{part}.json"


if __name__ == "__main__":
    app()
