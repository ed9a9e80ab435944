"""Translate over REST.

python -m examples.translation.serve.rest_client "How are you?" --alignment
"""

from typing import Annotated

import typer

from examples.command_line import report_errors
from keras_attention.serving import RestClient

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@report_errors
def translate(
    sentences: Annotated[list[str], typer.Argument(help="What to translate.")],
    address: Annotated[str, typer.Option(help="The server's REST side.")] = "http://127.0.0.1:8501",
    model: Annotated[str, typer.Option(help="The model's name at the server.")] = "english_french",
    version: Annotated[int | None, typer.Option(help="Its version; the server's newest if not given.")] = None,
    alignment: Annotated[bool, typer.Option(help="For each token, the source token most looked at.")] = False,
    timeout: Annotated[float, typer.Option(help="In seconds.")] = 30.0,
):
    """Write a line per translation, and below it, if asked for, one per token."""
    client = RestClient(address, model, version)
    rows = [{"text": sentence} for sentence in sentences]
    for found in client.predict_rows(rows, "alignment" if alignment else "serving_default", timeout):
        print(found["translation"])
        if alignment:
            for token, weights in zip(found["target_tokens"], found["alignment"]):
                if token:  # padding is empty
                    best = max(range(len(weights)), key=weights.__getitem__)
                    print(f"  {token}\t{found['source_tokens'][best]}\t{weights[best]:.2f}")


if __name__ == "__main__":
    app()
