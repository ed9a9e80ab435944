"""Translate a file, or standard input, line by line.

python -m examples.translation.translate --translator runs/mine/translator < sentences.de
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from examples.command_line import report_errors
from keras_attention.translator import Translator

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@report_errors
def translate(
    translator: Annotated[Path, typer.Option(help="Folder of a saved translator.")],
    source: Annotated[
        Path | None, typer.Option(help="Sentences, one a line, UTF-8; standard input if not given.")
    ] = None,
    beam_width: Annotated[int, typer.Option(help="1 is greedy.")] = 1,
    length_normalization: Annotated[float, typer.Option(help="GNMT's alpha, for a beam.")] = 1.0,
    coverage_penalty: Annotated[float, typer.Option(help="GNMT's beta, for a beam of RNNSearch.")] = 0.0,
    replace_unknown: Annotated[bool, typer.Option(help="Copy the aligned source token for an unknown one.")] = False,
    seed: Annotated[int | None, typer.Option(help="Sample, with this seed, instead of searching.")] = None,
    temperature: Annotated[float, typer.Option(help="Of the samples.")] = 1.0,
    top_k: Annotated[int | None, typer.Option(help="Of the samples.")] = None,
    top_p: Annotated[float, typer.Option(help="Of the samples.")] = 1.0,
):
    """Write one translation a line to standard output."""
    text = source.read_text(encoding="utf-8") if source else sys.stdin.read()
    lines = text.splitlines()
    loaded = Translator.load(translator)
    if seed is not None:
        drawn = loaded.sample(lines, seed=seed, temperature=temperature, top_k=top_k, top_p=top_p)
        translations = [row[0] for row in drawn]
    else:
        translations = loaded.translate(
            lines,
            beam_width=beam_width,
            length_normalization=length_normalization,
            coverage_penalty=coverage_penalty,
            replace_unknown=replace_unknown,
        )
    for translation in translations:
        print(translation)


if __name__ == "__main__":
    app()
