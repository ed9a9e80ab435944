"""Minutes to a validation BLEU on Multi30k, ours and the same recipe in PyTorch, each alone on the machine.

python -m benchmarks.time_to_quality ours  --multi30k multi30k/data/task1/raw --workdir runs/quality_ours
python -m benchmarks.time_to_quality torch --multi30k multi30k/data/task1/raw

Both sides have the same tokenizer, batches in the same order, first weights, dropout, label smoothing, clipping, Adam,
learning rates, averaged weights and greedy decoding; the reset gate stands after the product, the only form PyTorch's
GRU has. The clock begins before the first step, so tracing and compiling count, and so does the validation after every
epoch; reading and tokenising the corpus, and first word vectors counted from it, do not. Prints a line
an epoch and a JSON line at the end.
"""

import argparse
import dataclasses
import json
import tempfile
import time
from pathlib import Path

CONFIG = Path("examples/translation/configs/multi30k_rnn_search.toml")


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.time_to_quality", description=__doc__.split("\n")[0])
    parser.add_argument("side", choices=("ours", "torch"))
    parser.add_argument("--multi30k", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--bleu", type=float, default=38.0, help="the validation BLEU at which the clock stops")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, help="instead of the configuration's")
    parser.add_argument("--workdir", type=Path, help="ours: folder of the run; a temporary one if none is given")
    parser.add_argument("--compile", action="store_true", help="torch: torch.compile")
    options = parser.parse_args(arguments)
    from benchmarks.speed.__main__ import describe_machine, set_threads

    set_threads(options.threads)
    print(describe_machine(options.threads), flush=True)
    recipe = Recipe.read(options.config, options.multi30k, options.epochs)
    if options.side == "ours":
        with tempfile.TemporaryDirectory() as temporary:
            result = train_ours(recipe, options.bleu, options.workdir or Path(temporary))
    else:
        result = train_torch(recipe, options.bleu, options.compile)
    print(json.dumps({"side": options.side, "bar": options.bleu, **result}))
    return result


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What both sides share.

    Attributes:
        config: `TranslationConfig`, its model with the reset gate after the product.
        corpora: Training and validation part.
        translator: Translator of the untrained model: ours trains it, PyTorch copies its first weights.
        data: `TranslationDataset`.
    """

    config: object
    corpora: object
    translator: object
    data: object

    @classmethod
    def read(cls, path, multi30k, epochs=None):
        """Read configuration and corpus, and make tokenizer, model and batches."""
        import keras

        from examples.translation.config import load_config
        from examples.translation.corpora import open_corpora
        from keras_attention.data import translation_dataset
        from keras_attention.translator import Translator

        config = load_config(path)
        changed = {"minutes": 0.0, **({"epochs": epochs} if epochs else {})}
        config = dataclasses.replace(
            config,
            model={**config.model, "reset_after": True},
            training=dataclasses.replace(config.training, **changed),
        )
        keras.utils.set_random_seed(config.training.seed)
        corpora = open_corpora(multi30k=multi30k)
        tokenizers = config.train_tokenizers(corpora.train.sources, corpora.train.targets)
        data = translation_dataset(
            corpora.train.sources, corpora.train.targets, *tokenizers, seed=config.training.seed, **config.data
        )
        model = config.make_model(*tokenizers)
        config.set_first_vectors(model, corpora.train.sources, corpora.train.targets, *tokenizers)
        return cls(config, corpora, Translator(model, *tokenizers), data)

    def bleu(self, translate):
        """Return the validation BLEU of a function from strings to strings."""
        from keras_attention.metrics.bleu import corpus_bleu

        validation = self.corpora.validation
        lowercase = self.config.evaluation.get("lowercase", False)
        return corpus_bleu(translate(list(validation.sources)), list(validation.targets), lowercase).score


class Clock:
    """Counts epochs and minutes, and says when the bar is reached."""

    def __init__(self, bar):
        self.bar, self.start, self.epochs = bar, time.perf_counter(), []

    def reached(self, bleu):
        """Note an epoch's BLEU; return whether it is enough."""
        minutes = (time.perf_counter() - self.start) / 60
        self.epochs.append({"minutes": minutes, "bleu": bleu})
        print(f"epoch {len(self.epochs)}: {bleu:.2f} BLEU after {minutes:.2f} minutes", flush=True)
        return bleu >= self.bar

    def result(self):
        """Return the minutes to the bar, or None, and all epochs."""
        enough = [epoch["minutes"] for epoch in self.epochs if epoch["bleu"] >= self.bar]
        return {"minutes_to_bar": enough[0] if enough else None, "epochs": self.epochs}


def train_ours(recipe, bar, workdir):
    """Train through `fit_translation` until the bar is reached."""
    import keras

    from keras_attention.training.translation import fit_translation
    from keras_attention.training.workdir import claim_workdir

    model, clock = recipe.translator.model, Clock(bar)

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if clock.epochs and clock.epochs[-1]["bleu"] >= bar:
                self.model.stop_training = True

    def evaluate():
        bleu = recipe.bleu(recipe.translator.translate)
        clock.reached(bleu)
        return {"bleu": bleu}

    folder = claim_workdir(workdir, {**recipe.config.as_dict(), "benchmark": "time_to_quality"})
    clock.start = time.perf_counter()
    fit_translation(model, recipe.data, recipe.config.training, folder, evaluate, callbacks=[Stop()], verbose=0)
    return clock.result()


def train_torch(recipe, bar, compiled):
    """Train the PyTorch model until the bar is reached."""
    import numpy as np
    import torch
    from torch.nn import functional

    from benchmarks.speed.decoding import detokenize, sorted_batches
    from benchmarks.speed.torch_rnn_search import greedy, twin
    from keras_attention.training.translation import make_optimizer

    training, data, translator = recipe.config.training, recipe.data, recipe.translator
    torch.manual_seed(training.seed)
    model, averaged = twin(translator.model), twin(translator.model)
    model.dropout = recipe.config.model.get("dropout", 0.0)
    weights, averages = list(model.parameters()), list(averaged.parameters())
    optimizer = torch.optim.Adam(weights, training.learning_rate, eps=1e-7, fused=True)  # Keras' epsilon
    schedule = make_optimizer(training, data.steps_per_epoch)._learning_rate
    steps = range(training.epochs * data.steps_per_epoch)
    rates = [float(schedule(step)) if callable(schedule) else training.learning_rate for step in steps]

    def loss_of(source, target, labels, counted, lengths):
        logits = model(source, target, lengths)
        losses = functional.cross_entropy(
            logits.flatten(0, 1), labels.flatten(), label_smoothing=training.label_smoothing, reduction="none"
        )
        return (losses * counted.flatten()).sum() / counted.sum()

    forward = torch.compile(loss_of, dynamic=False) if compiled else loss_of
    tokenizer = translator.target_tokenizer
    symbols = (tokenizer.start_id, tokenizer.end_id, [tokenizer.pad_id, tokenizer.start_id])

    def translate(sentences):
        found = [None] * len(sentences)
        for places, ids, lengths, limits in sorted_batches(translator, sentences):
            inputs = [torch.from_numpy(x) for x in (ids, lengths, limits)]
            for place, text in zip(places, detokenize(translator, greedy(averaged, *inputs, *symbols))):
                found[place] = text
        return found

    clock, step = Clock(bar), 0
    for epoch in range(training.epochs):
        model.train()
        for inputs, labels, counted in data.one_epoch(epoch).prefetch(4).as_numpy_iterator():
            source, target, labels = (
                torch.from_numpy(x).long() for x in (inputs["source_ids"], inputs["target_ids"], labels)
            )
            for group in optimizer.param_groups:
                group["lr"] = rates[step]
            optimizer.zero_grad(set_to_none=True)
            loss = forward(source, target, labels, torch.from_numpy(counted), (source != 0).sum(1))
            loss.backward()
            if training.clip_norm:
                torch.nn.utils.clip_grad_norm_(weights, training.clip_norm)
            optimizer.step()
            with torch.no_grad():
                share = 1.0 if step == 0 or not training.average_decay else 1.0 - training.average_decay
                torch._foreach_lerp_(averages, weights, share)
            step += 1
        if clock.reached(recipe.bleu(translate)) or np.isnan(float(loss)):
            break
    return clock.result()


if __name__ == "__main__":
    main()
