"""Answer a question over REST: from the index inside the model, or by ranking answers that are given.

python -m examples.answer_selection.serve.rest_client "What causes anemia?"
python -m examples.answer_selection.serve.rest_client "What causes anemia?" "Too little iron." "Call your doctor."
"""

from typing import Annotated

import typer

from examples.command_line import report_errors
from keras_attention.serving import RestClient

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@report_errors
def rank(
    question: Annotated[str, typer.Argument(help="The question.")],
    answers: Annotated[list[str] | None, typer.Argument(help="Its candidates, if not those of the index.")] = None,
    address: Annotated[str, typer.Option(help="The server's REST side.")] = "http://127.0.0.1:8501",
    model: Annotated[str, typer.Option(help="The model's name at the server.")] = "medquad_answers",
    version: Annotated[int | None, typer.Option(help="Its version; the server's newest if not given.")] = None,
    timeout: Annotated[float, typer.Option(help="In seconds.")] = 30.0,
):
    """Write the answers, the best first, each with its similarity."""
    client = RestClient(address, model, version)
    if answers:
        # One question and many answers are no rows of one batch: column form.
        ranked = client.predict({"question": [question], "answers": answers}, "rank", timeout)
        found = [(ranked["similarity"][place], answers[place]) for place in ranked["order"]]
    else:
        (best,) = client.predict_rows([{"question": question}], timeout=timeout)
        found = list(zip(best["scores"], best["answers"]))
    for similarity, text in found:
        print(f"{similarity:.3f}\t{text}")


if __name__ == "__main__":
    app()
