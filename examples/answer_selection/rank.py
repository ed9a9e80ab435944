"""Ask a question and get the best answers, with a heat map of what was looked at.

python -m examples.answer_selection.rank --selector runs/faq/selector --question "How do I pay?" \
        --answers answers.txt --picture heat_map.png
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from examples.answer_selection.corpora import read_answers
from examples.answer_selection.heat_map import write_heat_map
from examples.command_line import console, report_errors
from keras_attention.answer_selector import AnswerSelector
from keras_attention.retrieval import WordOverlap

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@report_errors
def rank(
    selector: Annotated[Path, typer.Option(help="Folder of a saved selector.")],
    question: Annotated[list[str], typer.Option(help="What to ask; may be given several times.")],
    answers: Annotated[
        Path | None, typer.Option(help="Answers to choose from, one a line; not given: the selector's index.")
    ] = None,
    top_k: Annotated[int, typer.Option(help="Answers to show.")] = 3,
    candidates: Annotated[int, typer.Option(help="How many BM25 proposes out of an index; AP models only.")] = 100,
    overlap: Annotated[
        Path | None, typer.Option(help="Add the word overlap that `train --with-overlap` saved, by its weight.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Heat map of the first question's best answer: .png, .pdf, .svg or .html.")
    ] = None,
):
    """Print the best answers of every question with their similarities."""
    loaded = AnswerSelector.load(selector)
    overlap = WordOverlap.load(overlap) if overlap else None
    options = {"top_k": top_k, "return_weights": picture is not None, "overlap": overlap}
    if answers is not None:
        texts = read_answers(answers)
        found = [loaded.rank(one, texts, **options) for one in question]
    else:
        found = loaded.search(question, candidate_count=candidates, **options)
    for one, ranked in zip(question, found):
        table = Table("Score", "Answer", "Line" if answers else "Place", title=escape(one))
        for answer in ranked:
            place = answer.place + 1 if answers else answer.place
            table.add_row(f"{answer.score:.3f}", escape(answer.text), str(place))
        console.print(table)
    if picture is not None and found[0]:
        console.print(f"Drawn: {write_heat_map(found[0][0], picture)}", highlight=False)


if __name__ == "__main__":
    app()
