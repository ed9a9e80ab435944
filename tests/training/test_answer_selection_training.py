"""Training through `fit`: sampled and in-batch wrong answers, selection, resumption."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.losses import TripletMarginLoss
from keras_attention.models.answer_selection import APCNN, QACNN
from keras_attention.training.answer_selection import (
    AnswerSelectionTraining,
    fit_answer_selection,
    make_loss,
    make_optimizer,
)
from keras_attention.training.answer_selection_trainer import AnswerSelectionTrainer

tf = pytest.importorskip("tensorflow")

TOPICS, STEPS, BATCH = 12, 6, 8


def batch(random, negatives):
    """Question `t t+12` belongs to answer `t+24 t+36`: a map between words that has to be learned."""
    topics = random.permutation(TOPICS)[:BATCH]
    question_ids = np.stack([1 + topics, 1 + TOPICS + topics], 1)
    if negatives == "in_batch":
        answers, labels = topics, np.eye(BATCH)
    else:
        wrong = np.stack([random.permutation([o for o in range(TOPICS) if o != t])[:5] for t in topics])
        answers = np.concatenate([topics[:, None], wrong], 1)
        labels = np.tile([1.0, 0, 0, 0, 0, 0], (BATCH, 1))
    answer_ids = np.stack([1 + 2 * TOPICS + answers, 1 + 3 * TOPICS + answers], -1)
    return {"question_ids": question_ids.astype("int32"), "answer_ids": answer_ids.astype("int32")}, labels.astype(
        "float32"
    )


def datasets(negatives):
    def make(first_epoch):
        def batches():
            epoch = first_epoch
            while True:
                random = np.random.default_rng([7, epoch])
                yield from (batch(random, negatives) for _ in range(STEPS))
                epoch += 1

        columns = (BATCH,) if negatives == "in_batch" else (BATCH, 6)
        spec = {
            "question_ids": tf.TensorSpec((BATCH, 2), tf.int32),
            "answer_ids": tf.TensorSpec((*columns, 2), tf.int32),
        }
        labels = tf.TensorSpec((BATCH, BATCH) if negatives == "in_batch" else (BATCH, 6), tf.float32)
        return tf.data.Dataset.from_generator(batches, output_signature=(spec, labels))

    return make


def make_model(cls=QACNN, **options):
    keras.utils.set_random_seed(1)
    return cls(1 + 4 * TOPICS, embedding_width=8, filters=12, **options)


def accuracy(model):
    ids = np.arange(TOPICS)
    questions = np.stack([1 + ids, 1 + TOPICS + ids], 1)
    answers = np.stack([1 + 2 * TOPICS + ids, 1 + 3 * TOPICS + ids], 1)
    similarity = ops.convert_to_numpy(model.in_batch_model({"question_ids": questions, "answer_ids": answers}))
    ranks = 1 + (similarity > np.diag(similarity)[:, None]).sum(1)
    return {"mrr": float((1 / ranks).mean()), "accuracy_at_1": float((ranks == 1).mean())}


@pytest.mark.parametrize("cls", [QACNN, APCNN])
@pytest.mark.parametrize(
    ("negatives", "options"),
    [
        ("in_batch", {"loss": "softmax", "symmetric": True}),
        ("in_batch", {"loss": "triplet", "average_decay": 0.5}),
        ("sampled", {"loss": "triplet", "hardest": 1}),
        ("sampled", {"loss": "softmax", "hardest": None}),
    ],
)
def test_learns(cls, negatives, options, tmp_path):
    model = make_model(cls)
    assert accuracy(model)["accuracy_at_1"] < 0.5
    training = AnswerSelectionTraining(epochs=12, learning_rate=0.02, **options)
    record = fit_answer_selection(
        model, datasets(negatives), STEPS, training, tmp_path, lambda: accuracy(model), verbose=0
    )
    assert accuracy(model)["accuracy_at_1"] > 0.9
    assert record["best_mrr"] == pytest.approx(accuracy(model)["mrr"])
    history = (tmp_path / "history.csv").read_text().splitlines()
    assert len(history) == 13
    assert {"loss", "val_mrr", "right_similarity", "hardest_wrong_similarity"} <= set(history[0].split(","))
    again = make_model(cls)
    again.load_weights(tmp_path / "best.weights.h5")
    assert accuracy(again) == accuracy(model)


@pytest.mark.parametrize("negatives", ["in_batch", "sampled"])
def test_a_run_taken_up_again_ends_where_it_would_have(negatives, tmp_path):
    """Cut by a callback that raises, and by `until_epoch`; dropout, moments, order and the record go on."""

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    def run(folder, callbacks=()):
        folder.mkdir(exist_ok=True)
        model = make_model(embedding_dropout=0.2)
        training = AnswerSelectionTraining(epochs=4, loss="triplet", learning_rate=0.01)
        arguments = (model, datasets(negatives), STEPS, training, folder, lambda: accuracy(model), callbacks, 0)
        return model, lambda **until: fit_answer_selection(*arguments, **until)

    whole, fit = run(tmp_path / "whole")
    expected = fit()
    _, fit = run(tmp_path / "cut", [Stop()])
    with pytest.raises(KeyboardInterrupt):
        fit()
    cut, fit = run(tmp_path / "cut")
    assert fit(until_epoch=3)["epochs"] == 3
    cut, fit = run(tmp_path / "cut")
    record = fit()
    for a, b in zip(whole.get_weights(), cut.get_weights()):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert {k: record[k] for k in ("best_mrr", "best_epoch", "epochs")} == pytest.approx(
        {k: expected[k] for k in ("best_mrr", "best_epoch", "epochs")}
    )
    assert len((tmp_path / "cut" / "history.csv").read_text().splitlines()) == 5


def test_patience_ends_training_and_leaves_the_best(tmp_path):
    model, figures = make_model(), iter([0.1, 0.5, 0.4, 0.3, 0.2])
    training = AnswerSelectionTraining(epochs=9, patience=2, monitor="accuracy_at_1")
    record = fit_answer_selection(
        model, datasets("in_batch"), STEPS, training, tmp_path, lambda: {"accuracy_at_1": next(figures)}, verbose=0
    )
    assert (record["best_accuracy_at_1"], record["best_epoch"], record["epochs"]) == (0.5, 2, 4)


def test_only_the_hardest_pair_is_trained_on():
    """The gradient is that of the loss on the right and the hardest wrong answer alone, found by hand."""
    model = make_model()
    trainer = AnswerSelectionTrainer(model, hardest=2)
    inputs, labels = batch(np.random.default_rng(0), "sampled")
    scores = ops.convert_to_numpy(model(inputs))
    order = np.argsort(-scores[:, 1:], axis=1)[:, :2] + 1
    chosen = np.concatenate([np.zeros((BATCH, 1), int), order], axis=1)
    by_hand = {**inputs, "answer_ids": np.take_along_axis(inputs["answer_ids"], chosen[..., None], 1)}
    loss = TripletMarginLoss(0.9, "all")
    with tf.GradientTape() as tape:
        value = loss(np.tile([1, 0, 0], (BATCH, 1)), model(by_hand))
    expected = [tf.convert_to_tensor(g) for g in tape.gradient(value, model.trainable_weights)]
    trainer.compile("sgd", loss)
    with tf.GradientTape() as tape:
        outputs = trainer({**inputs, "labels": labels}, training=True)
        value = trainer.compute_loss(None, None, outputs)
    assert outputs["similarity"].shape == (BATCH, 3)
    np.testing.assert_array_equal(outputs["labels"], np.tile([1, 0, 0], (BATCH, 1)))
    got = [tf.convert_to_tensor(g) for g in tape.gradient(value, model.trainable_weights)]
    for a, b in zip(got, expected):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_what_is_not_to_be_counted_is_never_chosen():
    """The two best-scoring candidates are padding and a right answer: neither is taken as wrong."""
    trainer = AnswerSelectionTrainer(make_model())
    scores = ops.convert_to_tensor([[0.9, 0.8, -0.5, -0.6, 0.1]])
    chosen = trainer._choose(scores, ops.convert_to_tensor([[-1.0, 1.0, 0.0, 0.0, 1.0]]))
    assert ops.convert_to_numpy(chosen).tolist() == [[1, 2]]


def test_the_papers_schedule():
    training = AnswerSelectionTraining(optimizer="sgd", learning_rate=1.1, schedule="divided_by_epoch")
    rate = make_optimizer(training, steps_per_epoch=10)._learning_rate
    np.testing.assert_allclose([float(rate(step)) for step in (0, 9, 10, 25)], [1.1, 1.1, 0.55, 1.1 / 3], rtol=1e-6)


def test_errors():
    for arguments in ({"loss": "hinge"}, {"optimizer": "lion"}, {"epochs": 0}, {"margin": 0}, {"patience": -1}):
        ((name, value),) = arguments.items()
        with pytest.raises(ValueError, match=f"Received: {name}={value!r}"):
            AnswerSelectionTraining(**arguments)
    with pytest.raises(ValueError, match="hardest=0"):
        AnswerSelectionTrainer(make_model(), hardest=0)
    assert make_loss(AnswerSelectionTraining(loss="triplet", margin=0.3)).margin == 0.3
