"""What a search finds, against the configuration it started from; and how much memory it takes.

    python -m benchmarks.tuning translation --workdir runs/tuning_translation
    python -m benchmarks.tuning answer-selection --workdir runs/tuning_answer_selection
    python -m benchmarks.tuning memory --workdir runs/tuning_memory

The first two search for 20 minutes on the embedded corpus, then train the generic and the found configuration on three
seeds each, as many epochs each, and print both with their spread. The same command again goes on where it stopped.
"""

import dataclasses
import json
import os
import statistics
import threading
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from examples.command_line import console, report_errors
from examples.configuration_file import read_toml
from examples.tuning import BEST, search, starting_configuration
from keras_attention import tuning

CONFIGS = Path(__file__).parents[1] / "examples"
SEEDS = (1, 2, 3)

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
Workdir = Annotated[Path, typer.Option(help="Folder of the benchmark; the same one again goes on where it stopped.")]
Minutes = Annotated[float, typer.Option(help="Of the search.")]
Method = Annotated[str, typer.Option(help="hyperband, random or bayesian.")]


@app.command()
@report_errors
def translation(
    workdir: Workdir,
    minutes: Minutes = 20.0,
    method: Method = "hyperband",
    limit: Annotated[int, typer.Option(help="Training pairs, the first ones; 0 for all.")] = 20_000,
    epochs: Annotated[int | None, typer.Option(help="Of a training, instead of the configuration's.")] = None,
):
    """RNNSearch on the embedded English-French pairs, by validation BLEU; test BLEU beside it, greedy."""
    from examples.translation.corpora import open_corpora
    from keras_attention.data import ParallelCorpus

    corpora = open_corpora(tatoeba=True)
    if limit:
        pairs = ParallelCorpus(corpora.train.sources[:limit], corpora.train.targets[:limit])
        corpora = dataclasses.replace(corpora, train=pairs)
    _compare("translation", TranslationRun(corpora), tuning.TranslationHyperModel, workdir, minutes, method, epochs)


@app.command()
@report_errors
def answer_selection(
    workdir: Workdir,
    minutes: Minutes = 20.0,
    method: Method = "hyperband",
    limit: Annotated[int, typer.Option(help="Training questions, the first ones; 0 for all.")] = 0,
    epochs: Annotated[int | None, typer.Option(help="Of a training, instead of the configuration's.")] = None,
):
    """AP-CNN on the embedded share of MedQuAD, by validation MRR; test MRR beside it."""
    from examples.answer_selection.corpora import open_corpora

    corpora = open_corpora(medquad=True)
    if limit:
        corpora = dataclasses.replace(corpora, train=corpora.train.select(range(limit)))
    hyper_model = tuning.AnswerSelectionHyperModel
    _compare("answer_selection", AnswerSelectionRun(corpora), hyper_model, workdir, minutes, method, epochs)


@dataclasses.dataclass(frozen=True)
class TranslationRun:
    """A run of `train`; once it is through, with the figure of the test part."""

    corpora: object

    def __call__(self, config, workdir, until_epoch=None, test=False):
        from examples.translation.config import load_config
        from examples.translation.run import run_training
        from keras_attention.evaluation import evaluate_translation

        translator, record = run_training(
            load_config(config), self.corpora, workdir, verbose=0, until_epoch=until_epoch
        )
        if test:
            pairs = self.corpora.test
            record["test"] = evaluate_translation(translator.translate, pairs.sources, pairs.targets)["bleu"]
        return record


@dataclasses.dataclass(frozen=True)
class AnswerSelectionRun:
    """A run of `train`; once it is through, with the figure of the test part."""

    corpora: object

    def __call__(self, config, workdir, until_epoch=None, test=False):
        from examples.answer_selection.config import load_config
        from examples.answer_selection.run import evaluate_selector, run_training

        selector, record = run_training(load_config(config), self.corpora, workdir, verbose=0, until_epoch=until_epoch)
        if test:
            (part,) = self.corpora.reported.values()
            record["test"] = evaluate_selector(selector, part)["mrr"]
        return record


def _compare(task, run, hyper_model_class, workdir, minutes, method, epochs):
    generic = CONFIGS / task / "configs" / "generic.toml"
    configuration = starting_configuration(generic, method, epochs)
    hyper_model = hyper_model_class(configuration)
    whole = configuration["training"]["epochs"]
    command = f"python -m examples.{task}.train <data>"
    budget = {"trials": None, "minutes": minutes}
    search(hyper_model, run, workdir / "search", command, method=method, seed=1, epochs=whole, factor=3, **budget)
    objective = hyper_model.objective
    records = {}
    for name, one in (("generic", configuration), ("found", read_toml(workdir / "search" / BEST))):
        for seed in SEEDS:
            records[name, seed] = _train(run, {**one, "training": {**one["training"], "seed": seed}}, name, workdir)
            record = records[name, seed]
            console.print(
                f"{name}, seed {seed}: validation {record[f'best_{objective}']:.4f}, test {record['test']:.4f}, "
                f"{record['epochs']} epochs in {record['seconds'] / 60:.1f} minutes",
                highlight=False,
            )
    _print_spread(records, objective, f"{task}: {whole} epochs, seeds {', '.join(map(str, SEEDS))}")


def _train(run, configuration, name, workdir):
    name = f"{name}_seed{configuration['training']['seed']}"
    result = workdir / f"{name}.json"
    if not result.exists():
        config = tuning.write_toml(workdir / f"{name}.toml", configuration)
        record = tuning.run_in_process(
            run, str(config), str(workdir / name), None, True, log=workdir / f"{name}.log.txt"
        )
        temporary = result.with_suffix(".partial")
        temporary.write_text(json.dumps(record), encoding="utf-8")
        temporary.replace(result)
    return json.loads(result.read_text(encoding="utf-8"))


def _print_spread(records, objective, title):
    table = Table(title=title)
    table.add_column("", no_wrap=True)
    table.add_column("Part", no_wrap=True)
    for heading in (*(f"Seed {seed}" for seed in SEEDS), "Mean", "SD", "Lowest", "Highest"):
        table.add_column(heading, justify="right")
    for name in ("generic", "found"):
        for part, key in (("validation", f"best_{objective}"), ("test", "test")):
            values = [records[name, seed][key] for seed in SEEDS]
            spread = statistics.mean(values), statistics.stdev(values), min(values), max(values)
            table.add_row(name, part, *(f"{value:.3f}" for value in (*values, *spread)))
    console.print(table)


@app.command()
@report_errors
def memory(
    workdir: Workdir,
    trials: Annotated[int, typer.Option(help="Trials to run.")] = 30,
    processes: Annotated[bool, typer.Option(help="A process per trial, as `tune` does, or all in one.")] = True,
):
    """Memory of a search after each of its trials, over a small corpus: of the search, and the most of its trial."""
    from examples.translation.corpora import open_corpora
    from keras_attention.data import ParallelCorpus

    corpora = open_corpora(tatoeba=True)
    few = [ParallelCorpus(part.sources[:count], part.targets[:count]) for part, count in zip(corpora.parts, (400, 20))]
    run = TranslationRun(dataclasses.replace(corpora, train=few[0], validation=few[1], test=None))
    configuration = starting_configuration(CONFIGS / "translation" / "configs" / "generic.toml", "random", 1)
    configuration["text"]["vocabulary_size"] = 200
    configuration["model"].update(embedding_dim=32, encoder_units=32, attention_units=32, maxout_units=32)
    small = {"decoder_units": {"choices": [16, 32, 48, 64]}, "embedding_dim": {}, "encoder_units": {}}
    space = {"model": {**small, "attention_units": {}, "maxout_units": {}}}
    hyper_model = tuning.TranslationHyperModel(configuration, space=space)
    watch = _Memory()
    oracle = tuning.make_oracle("random", "bleu", trials=trials)
    tuning.ConfigurationTuner(hyper_model, oracle, run, workdir, processes=processes, watch=watch).search()
    table = Table(title=f"{'A process per trial' if processes else 'All in one process'}: resident memory, MB")
    table.add_column("After trial", justify="right")
    table.add_column("Search", justify="right")
    table.add_column("Its trial, at most", justify="right")
    for number, (own, of_trial) in enumerate(watch.figures):
        table.add_row(str(number), f"{own:.0f}", f"{of_trial:.0f}" if processes else "-")
    console.print(table)


class _Memory:
    """Watches a search and writes down its memory after every trial, and the most its child had, in MB."""

    def __init__(self):
        self.figures = []
        self.most = 0.0
        threading.Thread(target=self._look, daemon=True).start()

    def on_trial_begin(self, *_):
        self.most = 0.0

    def on_epoch(self, *_):
        pass

    def on_trial_end(self, *_):
        self.figures.append((_resident(os.getpid()), self.most))

    def _look(self):
        own = os.getpid()
        while True:
            for path in Path(f"/proc/{own}/task/{own}").glob("children"):
                for child in path.read_text().split():
                    self.most = max(self.most, _resident(int(child)))
            time.sleep(0.2)


def _resident(pid):
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    app()
