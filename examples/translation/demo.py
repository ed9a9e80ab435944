"""From sentence pairs to a served translator in a few minutes: `make demo`.

Trains RNNSearch on the embedded English-French pairs of Tatoeba, measures BLEU on pairs it has not seen, translates a
handful of sentences, draws an alignment, and writes a SavedModel that turns strings into strings.
"""

import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from examples.command_line import console, report_errors
from examples.translation.config import load_config
from examples.translation.corpora import Corpora, open_corpora
from examples.translation.run import run_training
from keras_attention.data import ParallelCorpus
from keras_attention.evaluation import evaluate_translation
from keras_attention.plotting import plot_alignment

CONFIG = Path(__file__).parent / "configs" / "demo.toml"
BEAM_WIDTH = 5
SENTENCES = [
    "How are you?",
    "I don't know where he lives.",
    "She bought a new car last week.",
    "Could you please tell me what time it is?",
    "The children were playing in the garden when it began to rain.",
]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@report_errors
def demo(
    workdir: Annotated[Path, typer.Option(help="Folder of the demo; made anew.")] = Path("demo"),
    config: Annotated[Path, typer.Option(help="Configuration file, TOML.")] = CONFIG,
    test_pairs: Annotated[int, typer.Option(help="Of the test split; 0 for all.")] = 0,
    limit: Annotated[int, typer.Option(help="Of the training and of the validation split; 0 for all.")] = 0,
):
    """Train, measure, translate, draw and export."""
    run = workdir / "run"
    if (run / "run.json").exists():
        shutil.rmtree(run)  # an earlier demo
    corpora = open_corpora(tatoeba=True)
    if limit:
        corpora = Corpora(*(ParallelCorpus(part.sources[:limit], part.targets[:limit]) for part in corpora.parts))
    translator, _ = run_training(load_config(config), corpora, run)
    sources, targets = corpora.test.sources, corpora.test.targets
    if test_pairs:
        sources, targets = sources[:test_pairs], targets[:test_pairs]
    for width in (1, BEAM_WIDTH):

        def translate(texts, width=width):
            return translator.translate(texts, beam_width=width)

        result = evaluate_translation(translate, sources, targets, warm_up=64)
        console.print(
            f"[bold]BLEU {result['bleu']:.1f}[/bold], {'greedy' if width == 1 else f'beam of {width}'}, on "
            f"{len(sources):,} unseen pairs ({result['bleu_signature']}), chrF {result['chrf']:.1f}, "
            f"{result['sentences_per_second']:.0f} sentences a second."
        )
    translations = translator.translate(SENTENCES, return_alignment=True)
    table = Table("English", "French", title="Translations")
    for sentence, translation in zip(SENTENCES, translations):
        table.add_row(sentence, translation.text)
    console.print(table)
    picture = workdir / "alignment.png"
    last = translations[-1]
    plot_alignment(last.alignment, last.source_tokens, last.target_tokens).savefig(picture, bbox_inches="tight")
    exported = translator.export(workdir / "saved_model")
    console.print(f"Alignment picture: {picture}\nSavedModel, reloaded and compared: {exported}")
    console.print(
        "Use it:\n"
        "  import tensorflow as tf, tensorflow_text\n"
        f"  serve = tf.saved_model.load({str(exported)!r}).signatures['serving_default']\n"
        "  serve(text=tf.constant(['How are you?']))['translation']",
        highlight=False,
    )


if __name__ == "__main__":
    app()
