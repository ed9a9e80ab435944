"""Training of a tiny translator: reproducible, resumable, keeps the best."""

import csv
import dataclasses
import types

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.data import translation_dataset
from keras_attention.models import RNNSearch
from keras_attention.text import WordTokenizer
from keras_attention.training.translation import TranslationTraining, fit_translation, make_optimizer
from keras_attention.training.workdir import claim_workdir

SOURCES = [" ".join(words) for words in np.random.default_rng(0).choice(list("abcdef"), size=(48, 4))]
TARGETS = [text.upper() for text in SOURCES]
TRAINING = TranslationTraining(epochs=4, learning_rate=0.01, warmup_steps=2, average_decay=0.9, seed=3)


class KilledError(Exception):
    pass


def run(workdir, training=TRAINING, kill_in=None, scores=None, until_epoch=None):
    """Train in `workdir`; `kill_in` an epoch (from 0), during its second batch."""
    keras.utils.set_random_seed(training.seed)
    tokenizers = [WordTokenizer.train(side) for side in (SOURCES, TARGETS)]
    model = RNNSearch(
        *(t.vocabulary_size for t in tokenizers),
        embedding_dim=4,
        encoder_units=3,
        decoder_units=5,
        maxout_units=4,
        dropout=0.2,
    )
    scores = iter(scores or [])
    seen = []
    running = types.SimpleNamespace(epoch=0)

    def evaluate():
        seen.append(ops.convert_to_numpy(model.source_embedding.embeddings))
        return {"bleu": float(next(scores, running.epoch))}

    def kill(batch, logs):
        if running.epoch == kill_in and batch == 1:
            raise KilledError

    watch = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: setattr(running, "epoch", epoch), on_train_batch_end=kill
    )
    record = fit_translation(
        model,
        lambda first_epoch: translation_dataset(
            SOURCES, TARGETS, *tokenizers, batch_size=8, seed=training.seed, first_epoch=first_epoch
        ),
        training,
        claim_workdir(workdir, {"seed": training.seed}),
        evaluate,
        callbacks=[watch],
        verbose=0,
        until_epoch=until_epoch,
    )
    return model, record, seen


def weights(model):
    return [ops.convert_to_numpy(v) for v in model.trainable_variables]


def test_the_same_seed_is_the_same_run_and_a_killed_one_goes_on(tmp_path):
    whole, record, _ = run(tmp_path / "whole")
    assert record["epochs"] == 4
    again, _, _ = run(tmp_path / "again")
    with pytest.raises(KilledError):
        run(tmp_path / "killed", kill_in=2)
    resumed, resumed_record, seen = run(tmp_path / "killed")
    assert resumed_record["epochs"] == 4
    assert len(seen) == 2  # the epoch that was running is done again, the two before are not
    for a, b, c in zip(weights(whole), weights(again), weights(resumed)):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)
    with (tmp_path / "killed" / "history.csv").open() as stream:
        assert [row["epoch"] for row in csv.DictReader(stream)] == ["0", "1", "2", "3"]


def test_a_run_in_parts_is_the_run_in_one(tmp_path):
    whole, record, _ = run(tmp_path / "whole")
    _, part, _ = run(tmp_path / "parts", until_epoch=1)
    assert part["epochs"] == 1
    _, again, seen = run(tmp_path / "parts", until_epoch=1)
    assert (again["epochs"], seen) == (1, [])
    _, part, _ = run(tmp_path / "parts", until_epoch=3)
    assert part["epochs"] == 3
    parts, last, _ = run(tmp_path / "parts", until_epoch=9)
    assert {**last, "seconds": 0} == {**record, "seconds": 0}
    for a, b in zip(weights(whole), weights(parts)):
        np.testing.assert_array_equal(a, b)


def test_the_loss_in_chunks_is_the_same_run(tmp_path):
    whole, _, _ = run(tmp_path / "whole")
    training = dataclasses.replace(TRAINING, loss_chunk=5)
    with pytest.raises(KilledError):
        run(tmp_path / "chunks", training, kill_in=2)
    chunks, resumed_record, seen = run(tmp_path / "chunks", training)
    assert resumed_record["epochs"] == 4
    assert len(seen) == 2
    for a, b in zip(weights(whole), weights(chunks)):
        np.testing.assert_allclose(b, a, atol=2e-4)
    logs = [(tmp_path / name / "history.csv").read_text().splitlines() for name in ("whole", "chunks")]
    losses = [[float(row["loss"]) for row in csv.DictReader(log)] for log in logs]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-3)


def test_a_finished_run_is_not_trained_again(tmp_path):
    first, record, _ = run(tmp_path / "run")
    again, record_again, seen = run(tmp_path / "run")
    assert record_again == record
    assert seen == []
    for a, b in zip(weights(first), weights(again)):
        np.testing.assert_array_equal(a, b)


def test_the_best_epoch_is_kept_and_patience_ends(tmp_path):
    training = TranslationTraining(epochs=9, learning_rate=0.01, warmup_steps=0, patience=2, seed=3)
    model, record, seen = run(tmp_path / "run", training, scores=[1, 5, 3, 2, 9])
    assert (record["best_bleu"], record["best_epoch"], record["epochs"]) == (5.0, 2, 4)
    np.testing.assert_array_equal(ops.convert_to_numpy(model.source_embedding.embeddings), seen[1])


def test_the_average_is_evaluated_and_training_goes_on_with_the_weights(tmp_path):
    _, _, seen = run(tmp_path / "average")
    plain_training = TranslationTraining(**{**TRAINING.__dict__, "average_decay": 0.0})
    _, _, plain_seen = run(tmp_path / "plain", plain_training)
    assert not np.allclose(seen[0], plain_seen[0])
    # with an average of decay 0.9 over 6 steps the first look lies between start and weights; later looks come close
    assert np.abs(seen[-1] - plain_seen[-1]).mean() < np.abs(seen[0] - plain_seen[0]).mean()


def test_halving(tmp_path):
    training = TranslationTraining(epochs=4, learning_rate=0.01, schedule="constant", halve_after=1, seed=3)
    run(tmp_path / "run", training, scores=[5, 4, 3, 6])
    with (tmp_path / "run" / "history.csv").open() as stream:
        rates = [float(row["learning_rate"]) for row in csv.DictReader(stream)]
    np.testing.assert_allclose(rates, [0.01, 0.005, 0.0025, 0.0025], rtol=1e-5)


def test_a_time_budget_ends_the_schedule_at_zero(tmp_path):
    training = TranslationTraining(
        epochs=10_000, learning_rate=0.01, schedule="cosine_over_minutes", minutes=0.05, warmup_steps=1, seed=3
    )
    _, record, _ = run(tmp_path / "run", training)
    assert 1 <= record["epochs"] < 10_000
    with (tmp_path / "run" / "history.csv").open() as stream:
        rates = [float(row["learning_rate"]) for row in csv.DictReader(stream)]
    assert rates[-1] < 1e-3
    assert rates[-1] == min(rates)


def test_schedules():
    optimizer = make_optimizer(TranslationTraining(epochs=10, learning_rate=0.1, warmup_steps=10), 10)
    rate = optimizer._learning_rate
    values = [float(rate(step)) for step in (0, 5, 10, 55, 100)]
    np.testing.assert_allclose(values, [0, 0.05, 0.1, 0.05, 0], atol=1e-6)
    optimizer = make_optimizer(TranslationTraining(learning_rate=0.1, schedule="inverse_sqrt", warmup_steps=4), 10)
    values = [float(optimizer._learning_rate(step)) for step in (0, 3, 15)]
    np.testing.assert_allclose(values, [0.025, 0.1, 0.05], atol=1e-6)


@pytest.mark.parametrize(
    "options, complaint",
    [
        ({"optimizer": "adma"}, "optimizer='adma'"),
        ({"schedule": "linear"}, "schedule='linear'"),
        ({"epochs": 0}, "epochs=0"),
        ({"learning_rate": 0.0}, "learning_rate=0"),
        ({"patience": -1}, "patience=-1"),
        ({"halve_after": 2}, "halve_after=2"),
        ({"schedule": "cosine_over_minutes"}, "minutes=0"),
    ],
)
def test_bad_options(options, complaint):
    with pytest.raises(ValueError, match=complaint):
        TranslationTraining(**options)
