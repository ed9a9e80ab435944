"""Write a SavedModel that scores and ranks strings, with the answers inside it if they are given.

python -m examples.answer_selection.export --selector runs/faq/selector --directory saved_models/faq
python -m examples.answer_selection.export --selector runs/faq/selector --directory saved_models/faq_index --with-index
"""

from pathlib import Path
from typing import Annotated

import typer

from examples.command_line import console, report_errors
from keras_attention.answer_selector import AnswerSelector

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@report_errors
def export(
    selector: Annotated[Path, typer.Option(help="Folder of a saved selector.")],
    directory: Annotated[Path, typer.Option(help="The model's folder; versions are folders inside it.")],
    version: Annotated[int | None, typer.Option(help="One more than the greatest there if not given.")] = None,
    interface: Annotated[str, typer.Option(help="text, or token_ids: core operations only.")] = "text",
    with_index: Annotated[bool, typer.Option(help="Put the selector's index of answers inside.")] = False,
    top_k: Annotated[int, typer.Option(help="Answers per question. With --with-index.")] = 10,
    encode_when_asked: Annotated[
        bool, typer.Option(help="Store ids instead of features: less room, more time. With --with-index, AP models.")
    ] = False,
    allow_newer_operations: Annotated[bool, typer.Option(help="For servers from 2.20 on.")] = False,
):
    """Export, check the operations, reload, compare, and only then put the version in its place."""
    if with_index and interface != "text":
        raise ValueError(f"--with-index goes with --interface text. Received: interface={interface!r}")
    loaded = AnswerSelector.load(selector)
    if with_index:
        path = loaded.export_with_index(
            directory,
            version,
            top_k=top_k,
            encode_when_asked=encode_when_asked,
            allow_newer_operations=allow_newer_operations,
        )
    else:
        path = loaded.export(directory, version, interface=interface, allow_newer_operations=allow_newer_operations)
    console.print(f"Exported, checked, reloaded and compared: {path}")


if __name__ == "__main__":
    app()
