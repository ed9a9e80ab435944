"""Train a translation model on several hosts, on JAX. Each host runs this command with its own `--process-index`:

KERAS_BACKEND=jax python -m examples.translation.train_on_hosts --config examples/translation/configs/small.toml \
    --source train.de --target train.en --workdir shared/runs/mine \
    --coordinator host0:1234 --process-count 2 --process-index 0

The work directory and the corpus must be seen by all of them. If one dies, stop the others and start all again: they go
on from the last finished epoch. The best epoch is the one with the lowest validation loss. What is saved is translated
with, evaluated and exported on TensorFlow, like any other translator.
"""

from pathlib import Path
from typing import Annotated

import keras
import typer

from examples.command_line import console, report_errors
from examples.translation.config import load_config
from examples.translation.corpora import open_corpora
from keras_attention.data import translation_dataset
from keras_attention.text import load_tokenizer
from keras_attention.training.precision import set_precision
from keras_attention.training.processes import (
    folder_to_write,
    is_first_process,
    join_processes,
    translation_of_process,
    wait_for_all,
)
from keras_attention.training.translation import fit_translation
from keras_attention.training.workdir import claim_workdir
from keras_attention.translator import Translator

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@report_errors
def train(
    config: Annotated[Path, typer.Option(help="Configuration file, TOML.")],
    workdir: Annotated[Path, typer.Option(help="Folder of the run, seen by all; the same one again goes on.")],
    coordinator: Annotated[str, typer.Option(help="Address of the first process, host:port.")],
    process_count: Annotated[int, typer.Option(help="Number of processes.")],
    process_index: Annotated[int, typer.Option(help="Number of this one, from 0.")],
    source: Annotated[Path | None, typer.Option(help="Source sentences, one a line, UTF-8, plain or .gz.")] = None,
    target: Annotated[Path | None, typer.Option(help="Their translations, line by line.")] = None,
    tsv: Annotated[Path | None, typer.Option(help="Instead: source TAB target, one pair a line.")] = None,
    tatoeba: Annotated[bool, typer.Option(help="Instead: the embedded English-French corpus.")] = False,
    verbose: Annotated[int, typer.Option(help="1: progress bar; 2: a line an epoch; 0: silent.")] = 2,
):
    """Train with the other processes, and save a translator to <workdir>/translator."""
    settings = load_config(config)
    corpora = open_corpora(source, target, tsv, tatoeba=tatoeba)
    keras.utils.set_random_seed(settings.training.seed)
    join_processes(coordinator, process_count, process_index)
    set_precision(settings.training.precision)
    if is_first_process():
        claim_workdir(workdir, {**settings.as_dict(), "training_pairs": len(corpora.train.sources)})
        trained = settings.train_tokenizers(corpora.train.sources, corpora.train.targets)
        for tokenizer, side in zip(trained, ("source", "target")):
            tokenizer.save(workdir / "tokenizers" / side)
    wait_for_all("tokenizers")
    tokenizers = [load_tokenizer(workdir / "tokenizers" / side) for side in ("source", "target")]
    model = settings.make_model(*tokenizers)
    options = {"seed": settings.training.seed, **settings.data}
    validation = corpora.validation.sources, corpora.validation.targets
    validation = translation_dataset(*validation, *tokenizers, shuffle=False, **options).dataset

    def evaluate():
        figures = model.evaluate(translation_of_process(validation), verbose=0, return_dict=True)
        return {"loss": figures["loss"], "minus_loss": -figures["loss"]}

    record = fit_translation(
        model,
        lambda epoch: translation_dataset(
            corpora.train.sources, corpora.train.targets, *tokenizers, first_epoch=epoch, **options
        ),
        settings.training,
        workdir,
        evaluate,
        verbose=verbose if is_first_process() else 0,
        monitor="minus_loss",
    )
    with folder_to_write(workdir / "translator") as written:
        Translator(model, *tokenizers).save(written)
    if is_first_process():
        console.print(
            f"Best validation loss {-record['best_minus_loss']:.3f} nats per token in epoch {record['best_epoch']} of "
            f"{record['epochs']}. Saved: {workdir / 'translator'}"
        )


if __name__ == "__main__":
    app()
