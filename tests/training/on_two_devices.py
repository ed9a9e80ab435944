"""Train the same thing on one device and on two logical ones, and print how far apart the weights are, as JSON.

Run by `test_replicas.py` in a process of its own: logical devices must be made before TensorFlow starts.
"""

import json
import logging
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_attention.data import translation_dataset
from keras_attention.models import APCNN, QACNN, Seq2Seq
from keras_attention.text import WordTokenizer
from keras_attention.training.answer_selection import AnswerSelectionTraining, fit_answer_selection
from keras_attention.training.translation import TranslationTraining, fit_translation

# Sentences of one to five words: the shares of a batch hold different numbers of tokens.
SOURCES = [" ".join(np.random.default_rng(i).choice(list("abcdef"), size=1 + i % 5)) for i in range(21)]
TARGETS = [text.upper() for text in SOURCES]
QUESTIONS, STEPS = 7, 3


def translation(workdir, **options):
    tokenizers = [WordTokenizer.train(side) for side in (SOURCES, TARGETS)]
    model = Seq2Seq(*(t.vocabulary_size for t in tokenizers), embedding_dim=4, units=4, layers_count=1)
    fit_translation(
        model,
        lambda epoch: translation_dataset(SOURCES, TARGETS, *tokenizers, batch_size=7, bucket_count=1),
        TranslationTraining(epochs=2, schedule="constant", **options),
        workdir,
        lambda: {"bleu": 0.0},
        verbose=0,
    )
    return model


def selection(cls, workdir, negatives, **options):
    """Batches of seven questions, one of them with nothing wrong to be told from."""
    model = cls(30, embedding_width=4, filters=4)

    def batches():
        random = np.random.default_rng(5)
        while True:
            shape = (QUESTIONS, 3) if negatives == "in_batch" else (QUESTIONS, 4, 3)
            questions, answers = random.integers(1, 30, (QUESTIONS, 2)), random.integers(1, 30, shape)
            labels = np.eye(QUESTIONS) if negatives == "in_batch" else np.tile([1, 0, 0, 0], (QUESTIONS, 1))
            labels[-1] = np.where(labels[-1] == 0, -1, labels[-1])
            inputs = {"question_ids": questions.astype("int32"), "answer_ids": answers.astype("int32")}
            yield inputs, labels.astype("float32")

    answer_shape, width = ((None, 3), QUESTIONS) if negatives == "in_batch" else ((None, 4, 3), 4)
    spec = {"question_ids": tf.TensorSpec((None, 2), tf.int32), "answer_ids": tf.TensorSpec(answer_shape, tf.int32)}
    signature = (spec, tf.TensorSpec((None, width), tf.float32))
    fit_answer_selection(
        model,
        lambda epoch: tf.data.Dataset.from_generator(batches, output_signature=signature),
        STEPS,
        AnswerSelectionTraining(epochs=1, schedule="constant", **options),
        workdir,
        lambda: {"mrr": 0.0},
        verbose=0,
    )
    return model


CASES = {
    # A bound that every gradient breaks: clipping each share alone would give other steps.
    "translation": lambda workdir: translation(
        workdir, optimizer="sgd", learning_rate=1.0, clip_norm=0.05, average_decay=0.5
    ),
    "adam": lambda workdir: selection(
        APCNN, workdir, "in_batch", loss="softmax", temperature=0.5, learning_rate=0.01, clip_norm=0.05
    ),
    "sampled": lambda workdir: selection(
        QACNN, workdir, "sampled", loss="triplet", margin=1.0, optimizer="sgd", learning_rate=1.0, clip_norm=0.05
    ),
    "in_batch": lambda workdir: selection(
        APCNN, workdir, "in_batch", loss="softmax", temperature=0.5, optimizer="sgd", learning_rate=1.0, clip_norm=0.05
    ),
}


def run(name, strategy):
    keras.utils.set_random_seed(1)
    with tempfile.TemporaryDirectory() as workdir, strategy.scope():
        model = CASES[name](Path(workdir))
        history = (Path(workdir) / "history.csv").read_text().splitlines()
    losses = [float(line.split(",")[history[0].split(",").index("loss")]) for line in history[1:]]
    return [v.numpy() for v in model.trainable_variables], losses


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    # One for all cases: a second one counts its collective operations from the same number again.
    mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    result = {}
    for case in sys.argv[1:]:
        keras.utils.set_random_seed(1)
        (one, one_losses) = run(case, tf.distribute.get_strategy())
        (two, two_losses) = run(case, mirrored)
        result[case] = {
            "difference": max(float(np.abs(a - b).max()) for a, b in zip(one, two)),
            "largest": max(float(np.abs(a).max()) for a in one),
            "one": one_losses,
            "two": two_losses,
        }
    print(json.dumps(result))
