"""Draw what an AP model looks at in a question and an answer of yours.

python -m examples.answer_selection.plot --selector runs/faq/selector --question "How do I pay?" \
        --answer "By card or cash." --output heat_map.html
"""

from pathlib import Path
from typing import Annotated

import typer

from examples.answer_selection.heat_map import write_heat_map
from examples.command_line import console, report_errors
from keras_attention.answer_selector import AnswerSelector

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@report_errors
def plot(
    selector: Annotated[Path, typer.Option(help="Folder of a saved selector of an AP model.")],
    question: Annotated[str, typer.Option(help="The question.")],
    answer: Annotated[str, typer.Option(help="The answer.")],
    output: Annotated[Path, typer.Option(help="File to write: .png, .pdf, .svg or .html.")] = Path("heat_map.png"),
):
    """Score one pair and draw its heat map."""
    ranked = AnswerSelector.load(selector).rank(question, [answer], return_weights=True)[0]
    console.print(f"Similarity {ranked.score:.3f}. Drawn: {write_heat_map(ranked, output)}", highlight=False)


if __name__ == "__main__":
    app()
