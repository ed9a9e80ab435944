"""Answer a question over gRPC: from the index inside the model, or by ranking answers that are given.

python -m examples.answer_selection.serve.grpc_client "What causes anemia?"
python -m examples.answer_selection.serve.grpc_client "What causes anemia?" "Too little iron." "Call your doctor."
"""

from typing import Annotated

import typer

from examples.command_line import report_errors
from keras_attention.serving import GrpcClient

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@report_errors
def rank(
    question: Annotated[str, typer.Argument(help="The question.")],
    answers: Annotated[list[str] | None, typer.Argument(help="Its candidates, if not those of the index.")] = None,
    address: Annotated[str, typer.Option(help="host:port of the server's gRPC side.")] = "127.0.0.1:8500",
    model: Annotated[str, typer.Option(help="The model's name at the server.")] = "medquad_answers",
    version: Annotated[int | None, typer.Option(help="Its version; the server's newest if not given.")] = None,
    timeout: Annotated[float, typer.Option(help="In seconds.")] = 30.0,
):
    """Write the answers, the best first, each with its similarity."""
    with GrpcClient(address, model, version) as client:
        if answers:
            ranked = client.predict({"question": [question], "answers": answers}, "rank", timeout)
            found = [(ranked["similarity"][place], answers[place]) for place in ranked["order"]]
        else:
            best = client.predict({"question": [question]}, timeout=timeout)
            found = [(score, text.decode("utf-8")) for score, text in zip(best["scores"][0], best["answers"][0])]
    for similarity, text in found:
        print(f"{similarity:.3f}\t{text}")


if __name__ == "__main__":
    app()
