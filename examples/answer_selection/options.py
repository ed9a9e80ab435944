"""The command-line options that name a corpus, the same for every command."""

from pathlib import Path
from typing import Annotated

import typer

InsuranceQAV1 = Annotated[Path | None, typer.Option(help="Instead: InsuranceQA's folder V1.")]
InsuranceQAV2 = Annotated[Path | None, typer.Option(help="Instead: InsuranceQA's folder V2.")]
TrecQA = Annotated[Path | None, typer.Option(help="Instead: TREC-QA's folder, with train-all, dev and test.")]
WikiQA = Annotated[Path | None, typer.Option(help="Instead: WikiQA's folder.")]
Vectors = Annotated[Path | None, typer.Option(help="Word vectors, GloVe or word2vec text or .npy; for [vectors] file.")]
VectorsWords = Annotated[Path | None, typer.Option(help="The words of an .npy, one a line.")]
