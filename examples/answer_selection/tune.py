"""Search for a configuration on your own questions and answers; `train` takes what comes out.

python -m examples.answer_selection.tune --config examples/answer_selection/configs/generic.toml --medquad \
        --minutes 20 --workdir runs/search
"""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from examples.answer_selection.config import load_config
from examples.answer_selection.corpora import Corpora, open_corpora
from examples.answer_selection.options import InsuranceQAV1, InsuranceQAV2, TrecQA, Vectors, VectorsWords, WikiQA
from examples.answer_selection.run import run_training
from examples.command_line import report_errors
from examples.configuration_file import read_toml
from examples.tuning import join_search, search, starting_configuration
from keras_attention import tuning

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
    train: Annotated[Path | None, typer.Option(help="Questions and answers to train on.")] = None,
    validation: Annotated[Path | None, typer.Option(help="Held out from --train if not given.")] = None,
    format: Annotated[str, typer.Option(help="Of these files: tsv, jsonl, wikiqa or trecqa.")] = "tsv",
    medquad: Annotated[bool, typer.Option(help="Instead: the embedded corpus.")] = False,
    insuranceqa_v1: InsuranceQAV1 = None,
    insuranceqa_v2: InsuranceQAV2 = None,
    trecqa: TrecQA = None,
    wikiqa: WikiQA = None,
    vectors: Vectors = None,
    vectors_words: VectorsWords = None,
    limit: Annotated[int, typer.Option(help="Train on so many questions, the first ones; 0 for all.")] = 0,
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
    """Search, by MRR of the validation part; leave the best configuration in <workdir>/best.toml."""
    join_search(address, name)
    settings = load_config(config)  # what is wrong with it is said before anything is read
    configuration = starting_configuration(config, method, epochs)
    if vectors:
        configuration["vectors"] = settings.with_vectors(vectors, vectors_words).vectors
    hyper_model = tuning.AnswerSelectionHyperModel(configuration, model, read_toml(space) if space else None)
    corpora = open_corpora(train, validation, None, format, medquad, insuranceqa_v1, insuranceqa_v2, trecqa, wikiqa)
    if limit:
        questions = corpora.train.select(range(min(limit, len(corpora.train.questions))))
        corpora = dataclasses.replace(corpora, train=questions)
    search(
        hyper_model,
        Train(corpora),
        workdir,
        "python -m examples.answer_selection.train <your data>",
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
