"""Measure one or several translators on the same sentence pairs.

python -m examples.translation.evaluate --translator runs/mine/translator --source test.de --target test.en
"""

from pathlib import Path
from typing import Annotated

import typer

from examples.command_line import console, report_errors
from examples.translation.corpora import read_pairs
from keras_attention.evaluation import evaluate_translation, translation_table
from keras_attention.plotting import plot_bleu_by_length
from keras_attention.translator import Translator

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@report_errors
def evaluate(
    translator: Annotated[list[Path], typer.Option(help="Folder of a saved translator; may be given several times.")],
    source: Annotated[Path | None, typer.Option(help="Source sentences, one a line.")] = None,
    target: Annotated[Path | None, typer.Option(help="Their translations, line by line.")] = None,
    tsv: Annotated[Path | None, typer.Option(help="Instead: source TAB target, one pair a line.")] = None,
    beam_width: Annotated[int, typer.Option(help="1 is greedy.")] = 1,
    lowercase: Annotated[bool, typer.Option(help="BLEU ignores case.")] = False,
    picture: Annotated[Path | None, typer.Option(help="Draw BLEU by sentence length here.")] = None,
):
    """Print BLEU, chrF and speed; draw BLEU by sentence length."""
    pairs = read_pairs(source, target, tsv)
    results = {}
    for folder in translator:
        loaded = Translator.load(folder)

        def translate(texts, loaded=loaded):
            return loaded.translate(texts, beam_width=beam_width)

        results[str(folder)] = evaluate_translation(
            translate, pairs.sources, pairs.targets, lowercase=lowercase, warm_up=32
        )
    console.print(translation_table(results))
    if picture:
        curves = {
            name: ([b["mean_length"] for b in result["bleu_by_length"]], [b["bleu"] for b in result["bleu_by_length"]])
            for name, result in results.items()
        }
        plot_bleu_by_length(curves).savefig(picture, bbox_inches="tight")
        console.print(f"Drawn: {picture}")


if __name__ == "__main__":
    app()
