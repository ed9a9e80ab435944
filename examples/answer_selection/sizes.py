"""Print what the four models are made of: hyperparameters and parameter counts, in the paper's sizes and in ours.

python -m examples.answer_selection.sizes
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from examples.answer_selection.config import MODELS, load_config
from examples.command_line import report_errors

CONFIGS = Path(__file__).parent / "configs"
NAMES = {"qa_cnn": "QA-CNN", "qa_bilstm": "QA-biLSTM", "ap_cnn": "AP-CNN", "ap_bilstm": "AP-biLSTM"}
PAPER_LOSS = "triplet, margin {margin}; hardest of 50 sampled"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@report_errors
def sizes(
    vocabulary_size: Annotated[
        int, typer.Option(help="Ids that both are counted with; InsuranceQA v1 has 22,352 words.")
    ] = 22_353,
):
    """Print the two tables: how the models are trained, and how many parameters they have."""
    training = Table("", "Vectors", "Units", "Window", "Loss", "Batch", "Rate", title="Hyperparameters")
    counts = Table("", "Words", "Encoder", "U", "All", title=f"Parameters, with {vocabulary_size:,} ids")
    for name, heading in NAMES.items():
        config = load_config(CONFIGS / f"insuranceqa_{name}.toml")
        ours = {key: value for key, value in config.model.items() if key != "name"}
        rows = {
            "paper": (MODELS[name].PAPER_SIZES, paper_training(MODELS[name].PAPER_TRAINING)),
            "ours": (ours, our_training(config)),
        }
        for who, (options, (loss, batch, rate)) in rows.items():
            model = MODELS[name](vocabulary_size, **options)
            given = model.get_config()
            units = f"{given['filters']:,}" if "filters" in given else f"{given['units']:,} x 2"
            # A recurrent encoder reads a token at a time: the paper's window of 1.
            window = str(given.get("window", 1))
            label = f"{heading}, {who}"
            training.add_row(label, str(given["embedding_width"]), units, window, loss, batch, rate)
            counts.add_row(label, *(f"{count:,}" for count in parameter_counts(model).values()))
    console = Console()
    # Wide enough for one line a row where the output is a file.
    console = console if console.is_terminal else Console(width=120)
    for table in (training, counts):
        for column in table.columns[1:]:
            column.justify = "left" if column.header == "Loss" else "right"
        console.print(table)


def parameter_counts(model):
    """Return a dict of the parameters of word vectors, encoder, `U` of attentive pooling, and all together."""
    encoder = model.sequence_encoder
    return {
        "words": encoder.embedding.count_params(),
        "encoder": encoder.encoder.count_params(),
        "alignment": model.pooling.count_params(),
        "all": model.count_params(),
    }


def paper_training(given):
    """Return loss, batch and rate of the paper, from a model's `PAPER_TRAINING`."""
    loss = PAPER_LOSS.format(margin=given["margin"])
    return loss, str(given["batch_size"]), f"SGD {given['learning_rate']} / epoch"


def our_training(config):
    """Return the same of a configuration."""
    training, batches = config.training, config.batches
    loss = f"triplet, margin {training.margin}"
    if training.loss == "softmax":
        loss = f"softmax, temperature {training.temperature}"
    loss += "; in batch" if batches["negatives"] == "in_batch" else f"; {batches.get('negative_count', 50)} sampled"
    schedule = {"divided_by_epoch": " / epoch", "cosine": ", cosine"}.get(training.schedule, "")
    optimizer = {"adam": "Adam", "sgd": "SGD"}[training.optimizer]
    return loss, str(batches["batch_size"]), f"{optimizer} {training.learning_rate}{schedule}"


if __name__ == "__main__":
    app()
