"""Train a translation model on your own sentence pairs.

python -m examples.translation.train --config examples/translation/configs/small.toml \
        --source train.de --target train.en --workdir runs/mine
"""

from pathlib import Path
from typing import Annotated

import typer

from examples.command_line import console, report_errors
from examples.translation.config import load_config
from examples.translation.corpora import open_corpora
from examples.translation.run import run_training
from keras_attention.evaluation import evaluate_translation

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@report_errors
def train(
    config: Annotated[Path, typer.Option(help="Configuration file, TOML.")],
    workdir: Annotated[Path, typer.Option(help="Folder of the run; the same one again goes on where it stopped.")],
    source: Annotated[Path | None, typer.Option(help="Source sentences, one a line, UTF-8, plain or .gz.")] = None,
    target: Annotated[Path | None, typer.Option(help="Their translations, line by line.")] = None,
    tsv: Annotated[Path | None, typer.Option(help="Instead: source TAB target, one pair a line.")] = None,
    validation_source: Annotated[Path | None, typer.Option(help="Held out from --source if not given.")] = None,
    validation_target: Annotated[Path | None, typer.Option()] = None,
    multi30k: Annotated[Path | None, typer.Option(help="Instead: Multi30k's folder data/task1/raw.")] = None,
    tatoeba: Annotated[bool, typer.Option(help="Instead: the embedded English-French corpus.")] = False,
    languages: Annotated[str, typer.Option(help="Of Multi30k (de-en) or Tatoeba (en-fr): source-target.")] = "",
    mirrored: Annotated[bool, typer.Option(help="On every GPU of this host together.")] = False,
    verbose: Annotated[int, typer.Option(help="1: progress bar; 2: a line an epoch; 0: silent.")] = 1,
):
    """Train a translation model, report BLEU, and save a translator to <workdir>/translator."""
    settings = load_config(config)
    corpora = open_corpora(source, target, tsv, validation_source, validation_target, multi30k, tatoeba, languages)
    translator, _ = run_training(settings, corpora, workdir, verbose, mirrored=mirrored)
    if corpora.test is not None:
        result = evaluate_translation(
            translator.translate,
            corpora.test.sources,
            corpora.test.targets,
            lowercase=settings.evaluation.get("lowercase", False),
        )
        console.print(f"Test BLEU {result['bleu']:.2f} ({result['bleu_signature']}), chrF {result['chrf']:.2f}")


if __name__ == "__main__":
    app()
