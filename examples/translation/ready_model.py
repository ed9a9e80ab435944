"""Train the English-French translator of `saved_models/` and write it with its card; half of `make models`.

python -m examples.translation.ready_model
"""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from examples.command_line import console, report_errors
from examples.model_card import place_model, shown_path, write_model_card
from examples.translation.config import load_config
from examples.translation.corpora import Corpora, open_corpora
from examples.translation.run import run_training
from keras_attention.data import ParallelCorpus
from keras_attention.evaluation import evaluate_translation

CONFIG = Path(__file__).parent / "configs" / "demo.toml"
BEAM_WIDTH = 5
USE = """
import tensorflow as tf, tensorflow_text

serve = tf.saved_model.load("{path}").signatures["serving_default"]
serve(text=tf.constant(["How are you?"]))["translation"]
"""
DATA = """
Trained on the English-French sentence pairs of [Tatoeba](https://tatoeba.org) that come with the package
(`keras_attention/datasets/tatoeba_en_fr`), by Tatoeba's contributors, as collected by
[manythings.org/anki](http://www.manythings.org/anki/), under Creative Commons Attribution 2.0 France (CC BY 2.0 FR).
Whoever passes the model on names them. The code is under Apache 2.0.
"""
LIMITS = [
    "Short, everyday sentences in plain English; long, technical or formal ones come out badly, and fluent nonsense is "
    "possible. Not for use where a wrong translation does harm.",
    "A source is read up to 512 tokens; one sentence at a time: the model has not seen paragraphs.",
    "It repeats what the data has: `tu` or `vous`, and a gender, are chosen by habit where English leaves them open.",
    "The test pairs are of the same source and as short as the training pairs: BLEU on other text is far lower.",
]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@report_errors
def ready_model(
    directory: Annotated[Path, typer.Option(help="Folder of the model; versions are folders inside.")] = Path(
        "saved_models/english_french"
    ),
    workdir: Annotated[Path, typer.Option(help="Folder of the run; the same one again goes on.")] = Path(
        "runs/english_french"
    ),
    config: Annotated[Path, typer.Option(help="Configuration file, TOML.")] = CONFIG,
    version: Annotated[int, typer.Option(help="An earlier one of this number is replaced.")] = 1,
    limit: Annotated[int, typer.Option(help="Pairs of each part; 0 for all.")] = 0,
    verbose: Annotated[int, typer.Option(help="1: progress bar; 2: a line an epoch; 0: silent.")] = 1,
):
    """Train, measure on the test pairs, export, and write the model card."""
    settings = load_config(config)
    corpora = open_corpora(tatoeba=True)
    if limit:
        corpora = Corpora(*(ParallelCorpus(part.sources[:limit], part.targets[:limit]) for part in corpora.parts))
    translator, record = run_training(settings, corpora, workdir, verbose)
    figures = {}
    for width in (1, BEAM_WIDTH):

        def translate(texts, width=width):
            return translator.translate(texts, beam_width=width)

        result = evaluate_translation(translate, corpora.test.sources, corpora.test.targets)
        how = "greedy (`serving_default`)" if width == 1 else f"beam of {width} (`n_best`)"
        figures[f"BLEU on {len(corpora.test.sources):,} test pairs, {how}"] = f"{result['bleu']:.1f}"
        figures[f"chrF, {'greedy' if width == 1 else f'beam of {width}'}"] = f"{result['chrf']:.1f}"
    figures["BLEU's settings"] = f"`{result['bleu_signature']}`"
    staging = workdir / "export" / directory.name
    shutil.rmtree(staging, ignore_errors=True)  # of a run that was stopped
    exported = translator.export(staging, version, beam_width=BEAM_WIDTH)
    path = place_model(exported, directory)
    # A call by default options is what is written down.
    options = "" if config == CONFIG else f" --config {shown_path(config)}"
    card = write_model_card(
        path,
        title="English to French",
        summary=f"Translates short English sentences into French: {type(translator.model).__name__}, "
        f"{translator.model.count_params():,} parameters, strings in and strings out.",
        use=USE.format(path=path),
        data=DATA,
        command=f"python -m examples.translation.ready_model{options}    # or: make models",
        record={
            "seed": settings.training.seed,
            "training pairs": f"{len(corpora.train.sources):,}",
            "best epoch": f"{record['best_epoch']} of {record['epochs']}",
            "minutes of training and validation": f"{record['seconds'] / 60:.1f}",
            "validation BLEU, greedy": f"{record['best_bleu']:.1f} on {len(corpora.validation.sources):,} pairs",
            "configuration": f"`{shown_path(config)}`",
        },
        figures=figures,
        limits=LIMITS,
    )
    console.print(f"Exported, checked, reloaded and compared: {path}\nModel card: {card}")


if __name__ == "__main__":
    app()
