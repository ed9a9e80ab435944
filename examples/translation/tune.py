"""Search for a configuration on your own sentence pairs; `train` takes what comes out.

python -m examples.translation.tune --config examples/translation/configs/generic.toml --tatoeba \
        --limit 20000 --minutes 20 --workdir runs/search
"""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from examples.command_line import report_errors
from examples.configuration_file import read_toml
from examples.translation.config import load_config
from examples.translation.corpora import Corpora, open_corpora
from examples.translation.run import run_training
from examples.tuning import join_search, search, starting_configuration
from keras_attention import tuning
from keras_attention.data import ParallelCorpus

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclasses.dataclass(frozen=True)
class Train:
    """The training of a trial: what `train` does, up to an epoch. An object, since a process takes it along."""

    corpora: Corpora

    def __call__(self, config, workdir, until_epoch=None):
        """Train; return the record of the run."""
        return run_training(load_config(config), self.corpora, workdir, verbose=0, until_epoch=until_epoch)[1]


@app.command()
@report_errors
def tune(
    config: Annotated[Path, typer.Option(help="Configuration that the search starts from, TOML.")],
    workdir: Annotated[Path, typer.Option(help="Folder of the search; the same one again goes on where it stopped.")],
    source: Annotated[Path | None, typer.Option(help="Source sentences, one a line, UTF-8, plain or .gz.")] = None,
    target: Annotated[Path | None, typer.Option(help="Their translations, line by line.")] = None,
    tsv: Annotated[Path | None, typer.Option(help="Instead: source TAB target, one pair a line.")] = None,
    validation_source: Annotated[Path | None, typer.Option(help="Held out from --source if not given.")] = None,
    validation_target: Annotated[Path | None, typer.Option()] = None,
    multi30k: Annotated[Path | None, typer.Option(help="Instead: Multi30k's folder data/task1/raw.")] = None,
    tatoeba: Annotated[bool, typer.Option(help="Instead: the embedded English-French corpus.")] = False,
    languages: Annotated[str, typer.Option(help="Of Multi30k (de-en) or Tatoeba (en-fr): source-target.")] = "",
    limit: Annotated[int, typer.Option(help="Train on so many pairs, the first ones; 0 for all.")] = 0,
    method: Annotated[str, typer.Option(help="hyperband, random or bayesian.")] = "hyperband",
    trials: Annotated[int | None, typer.Option(help="Budget in trials.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Budget in minutes, over all resumptions.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Of a whole training, instead of the configuration's.")] = None,
    factor: Annotated[int, typer.Option(help="Hyperband: one of so many trials goes on.")] = 3,
    model: Annotated[list[str] | None, typer.Option(help="Choose among these; may be given several times.")] = None,
    space: Annotated[Path | None, typer.Option(help="Changes of the search space, TOML; see the README.")] = None,
    seed: Annotated[int, typer.Option(help="Of the draws of the search.")] = 1,
    address: Annotated[str, typer.Option(help="Several machines: the chief's host:port.")] = "",
    name: Annotated[str, typer.Option(help='Several machines: "chief", or a name of this worker\'s own.')] = "",
):
    """Search, by BLEU of the validation part; leave the best configuration in <workdir>/best.toml."""
    join_search(address, name)
    settings = load_config(config)  # what is wrong with it is said before anything is read
    configuration = starting_configuration(config, method, epochs)
    hyper_model = tuning.TranslationHyperModel(configuration, model, read_toml(space) if space else None)
    corpora = open_corpora(source, target, tsv, validation_source, validation_target, multi30k, tatoeba, languages)
    if limit:
        pairs = ParallelCorpus(corpora.train.sources[:limit], corpora.train.targets[:limit])
        corpora = dataclasses.replace(corpora, train=pairs)
    search(
        hyper_model,
        Train(corpora),
        workdir,
        "python -m examples.translation.train <your pairs>",
        method=method,
        trials=trials,
        minutes=minutes,
        seed=seed,
        epochs=epochs or settings.training.epochs,
        factor=factor,
        name=name,
    )


if __name__ == "__main__":
    app()
