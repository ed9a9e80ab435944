"""Write a SavedModel that turns strings into strings.

python -m examples.translation.export --translator runs/mine/translator --directory saved_models/mine
"""

from pathlib import Path
from typing import Annotated

import typer

from examples.command_line import console, report_errors
from keras_attention.translator import Translator

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@report_errors
def export(
    translator: Annotated[Path, typer.Option(help="Folder of a saved translator.")],
    directory: Annotated[Path, typer.Option(help="The model's folder; versions are folders inside it.")],
    version: Annotated[int | None, typer.Option(help="One more than the greatest there if not given.")] = None,
    beam_width: Annotated[int, typer.Option(help="Of the signature n_best.")] = 4,
    length_normalization: Annotated[float, typer.Option(help="Of the signature n_best.")] = 1.0,
    interface: Annotated[str, typer.Option(help="text, or token_ids: core operations only.")] = "text",
    allow_newer_operations: Annotated[bool, typer.Option(help="For servers from 2.20 on.")] = False,
):
    """Export, check the operations, reload, compare, and only then put the version in its place."""
    path = Translator.load(translator).export(
        directory,
        version,
        beam_width=beam_width,
        length_normalization=length_normalization,
        interface=interface,
        allow_newer_operations=allow_newer_operations,
    )
    console.print(f"Exported, checked, reloaded and compared: {path}")


if __name__ == "__main__":
    app()
