"""Compute the answers' side of a selector once and keep it with the selector, for `rank`.

python -m examples.answer_selection.index --selector runs/faq/selector --answers answers.txt
"""

import time
from pathlib import Path
from typing import Annotated

import typer

from examples.answer_selection.corpora import read_answers
from examples.command_line import console, report_errors
from keras_attention.answer_selector import AnswerSelector

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@report_errors
def index(
    selector: Annotated[Path, typer.Option(help="Folder of a saved selector; the index is written into it.")],
    answers: Annotated[Path, typer.Option(help="Answers, one a line, UTF-8, plain or .gz.")],
    float16: Annotated[bool, typer.Option(help="Half the room, three decimal digits.")] = False,
):
    """Encode all answers, so that `rank` only has to encode the question."""
    texts = read_answers(answers)
    loaded = AnswerSelector.load(selector)
    start = time.monotonic()
    # Written part by part, so that an index of any size fits.
    loaded.index(texts, dtype="float16" if float16 else "float32", directory=selector / "index")
    seconds = time.monotonic() - start
    console.print(
        f"{len(texts):,} answers in {seconds:.1f} s, {loaded.answer_index.bytes / 1e6:,.1f} MB: {selector / 'index'}",
        highlight=False,
    )


if __name__ == "__main__":
    app()
