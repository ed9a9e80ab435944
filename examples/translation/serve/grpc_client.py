"""Translate over gRPC.

python -m examples.translation.serve.grpc_client "How are you?" "Thank you."
"""

from typing import Annotated

import typer

from examples.command_line import report_errors
from keras_attention.serving import GrpcClient

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@report_errors
def translate(
    sentences: Annotated[list[str], typer.Argument(help="What to translate.")],
    address: Annotated[str, typer.Option(help="host:port of the server's gRPC side.")] = "127.0.0.1:8500",
    model: Annotated[str, typer.Option(help="The model's name at the server.")] = "english_french",
    version: Annotated[int | None, typer.Option(help="Its version; the server's newest if not given.")] = None,
    n_best: Annotated[bool, typer.Option(help="All hypotheses of the beam, with their scores.")] = False,
    timeout: Annotated[float, typer.Option(help="Deadline in seconds.")] = 30.0,
):
    """Write a line per translation."""
    with GrpcClient(address, model, version) as client:
        if not n_best:
            for text in client.predict({"text": sentences}, timeout=timeout)["translation"]:
                print(text.decode("utf-8"))
            return
        found = client.predict({"text": sentences}, "n_best", timeout)
        for texts, scores in zip(found["translations"], found["scores"]):
            for text, score in zip(texts, scores):
                print(f"{score:.3f}\t{text.decode('utf-8')}")


if __name__ == "__main__":
    app()
