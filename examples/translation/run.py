"""A translation run from configuration and corpora to a saved translator; `train` and `demo` both call it."""

import time

import keras

from examples.command_line import console
from examples.translation.corpora import Corpora
from keras_attention.data import translation_dataset
from keras_attention.evaluation import evaluate_translation
from keras_attention.training.precision import set_precision
from keras_attention.training.replicas import every_device, scope_of
from keras_attention.training.translation import fit_translation
from keras_attention.training.workdir import claim_workdir
from keras_attention.translator import Translator


def run_training(config, corpora: Corpora, workdir, verbose="auto", until_epoch=None, mirrored=False):
    """Train, or go on training, and leave the best translator in `<workdir>/translator`.

    Args:
        config: A `TranslationConfig`.
        corpora: The corpora.
        workdir: Folder of the run.
        verbose: As in `model.fit`.
        until_epoch: Epoch to stop after, to go on from later; None trains to the end.
        mirrored: Train on every GPU of this host together.

    Returns:
        `(translator, record)`: the translator with the best weights, and the record that `fit_translation` returns.
    """
    keras.utils.set_random_seed(config.training.seed)
    set_precision(config.training.precision)
    start = time.monotonic()
    source_tokenizer, target_tokenizer = config.train_tokenizers(corpora.train.sources, corpora.train.targets)
    # After the tokenizers: an impossible vocabulary must not leave a folder behind.
    workdir = claim_workdir(workdir, {**config.as_dict(), "training_pairs": len(corpora.train.sources)})
    with scope_of(every_device() if mirrored else None):
        model = config.make_model(source_tokenizer, target_tokenizer)
    config.set_first_vectors(model, corpora.train.sources, corpora.train.targets, source_tokenizer, target_tokenizer)
    translator = Translator(model, source_tokenizer, target_tokenizer)

    def data(first_epoch):
        return translation_dataset(
            corpora.train.sources,
            corpora.train.targets,
            source_tokenizer,
            target_tokenizer,
            seed=config.training.seed,
            first_epoch=first_epoch,
            **config.data,
        )

    def evaluate():
        result = evaluate_translation(
            translator.translate,
            corpora.validation.sources,
            corpora.validation.targets,
            lowercase=config.evaluation.get("lowercase", False),
        )
        return {name: result[name] for name in ("bleu", "chrf", "sentences_per_second")}

    console.print(
        f"{type(translator.model).__name__}: {translator.model.count_params():,} parameters, "
        f"{len(corpora.train.sources):,} training pairs, {len(corpora.validation.sources):,} validation pairs, "
        f"{source_tokenizer.vocabulary_size:,} source and {target_tokenizer.vocabulary_size:,} target tokens; "
        f"ready after {time.monotonic() - start:.0f} s."
    )
    record = fit_translation(
        translator.model, data, config.training, workdir, evaluate, verbose=verbose, until_epoch=until_epoch
    )
    translator.save(workdir / "translator")
    console.print(
        f"Best validation BLEU {record['best_bleu']:.2f} in epoch {record['best_epoch']} of {record['epochs']}, "
        f"{record['seconds'] / 60:.1f} minutes of training and validation. Saved: {workdir / 'translator'}"
    )
    return translator, record
