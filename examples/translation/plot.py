"""Draw the alignment of a translated sentence.

python -m examples.translation.plot --translator runs/mine/translator --sentence "Ein Hund." --output picture.png
"""

from pathlib import Path
from typing import Annotated

import typer

from examples.command_line import console, report_errors
from keras_attention.plotting import plot_alignment
from keras_attention.translator import Translator

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@report_errors
def plot(
    translator: Annotated[Path, typer.Option(help="Folder of a saved RNNSearch translator.")],
    sentence: Annotated[str, typer.Option(help="What to translate.")],
    output: Annotated[Path, typer.Option(help="Picture to write: .png, .pdf or .svg.")] = Path("alignment.png"),
    beam_width: Annotated[int, typer.Option(help="1 is greedy.")] = 1,
    pieces: Annotated[bool, typer.Option(help="Subword pieces as they are, not merged into words.")] = False,
):
    """Translate a sentence and draw where the model looked."""
    translation = Translator.load(translator).translate([sentence], beam_width=beam_width, return_alignment=True)[0]
    figure = plot_alignment(
        translation.alignment, translation.source_tokens, translation.target_tokens, merge=not pieces
    )
    figure.savefig(output, bbox_inches="tight")
    console.print(f"{translation.text}\nDrawn: {output}", highlight=False)


if __name__ == "__main__":
    app()
