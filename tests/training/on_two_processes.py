"""One of the processes that train together on JAX; with a process count of 1 it trains the same alone.

    KERAS_BACKEND=jax python on_two_processes.py <case> <workdir> <process count> <process index> <port> [<kill epoch>]

The last process ends itself, without a word, in the second step of the kill epoch.
"""

import os
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_attention.data import translation_dataset
from keras_attention.models import APCNN, QACNN, Seq2Seq
from keras_attention.text import WordTokenizer
from keras_attention.training.answer_selection import AnswerSelectionTraining, fit_answer_selection
from keras_attention.training.processes import folder_to_write, join_processes, translation_of_process
from keras_attention.training.translation import TranslationTraining, fit_translation
from keras_attention.translator import Translator

SOURCES = [" ".join(np.random.default_rng(i).choice(list("abcdef"), size=1 + i % 5)) for i in range(21)]
TARGETS = [text.upper() for text in SOURCES]
QUESTIONS, STEPS, EPOCHS = 7, 3, 3


def translation(workdir, callbacks):
    tokenizers = [WordTokenizer.train(side) for side in (SOURCES, TARGETS)]
    model = Seq2Seq(*(t.vocabulary_size for t in tokenizers), embedding_dim=4, units=4, layers_count=1)
    options = {"batch_size": 7, "bucket_count": 1}
    validation = translation_dataset(SOURCES, TARGETS, *tokenizers, shuffle=False, **options).dataset

    def evaluate():
        figures = model.evaluate(translation_of_process(validation), verbose=0, return_dict=True)
        return {"minus_loss": -figures["loss"]}

    fit_translation(
        model,
        lambda epoch: translation_dataset(SOURCES, TARGETS, *tokenizers, first_epoch=epoch, **options),
        TranslationTraining(epochs=EPOCHS, learning_rate=0.02, warmup_steps=1, average_decay=0.5),
        workdir,
        evaluate,
        callbacks=callbacks,
        verbose=0,
        monitor="minus_loss",
    )
    with folder_to_write(workdir / "translator") as written:
        Translator(model, *tokenizers).save(written)


def selection(cls, negatives):
    def run(workdir, callbacks):
        model = cls(30, embedding_width=4, filters=4)
        shape = (QUESTIONS, 3) if negatives == "in_batch" else (QUESTIONS, 4, 3)
        columns = shape[0] if negatives == "in_batch" else shape[1]

        def dataset(first_epoch):
            def batches():
                epoch = first_epoch
                while True:
                    random = np.random.default_rng([5, epoch])
                    for _ in range(STEPS):
                        questions, answers = random.integers(1, 30, (QUESTIONS, 2)), random.integers(1, 30, shape)
                        labels = np.eye(QUESTIONS, columns) if negatives == "in_batch" else [[1, 0, 0, 0]] * QUESTIONS
                        yield {"question_ids": questions, "answer_ids": answers}, np.asarray(labels, "float32")
                    epoch += 1

            spec = {"question_ids": tf.TensorSpec((None, 2), tf.int32)}
            spec["answer_ids"] = tf.TensorSpec((None, *shape[1:]), tf.int32)
            signature = (spec, tf.TensorSpec((None, columns), tf.float32))
            return tf.data.Dataset.from_generator(batches, output_signature=signature)

        loss = (
            {"loss": "softmax", "temperature": 0.5} if negatives == "in_batch" else {"loss": "triplet", "margin": 1.0}
        )
        fit_answer_selection(
            model,
            dataset,
            STEPS,
            AnswerSelectionTraining(epochs=EPOCHS, optimizer="sgd", learning_rate=0.5, clip_norm=0.1, **loss),
            workdir,
            lambda: {"mrr": 0.0},
            callbacks=callbacks,
            verbose=0,
        )

    return run


CASES = {
    "translation": translation,
    "sampled": selection(QACNN, "sampled"),
    "in_batch": selection(APCNN, "in_batch"),
}


class Kill(keras.callbacks.Callback):
    """Ends this process at once, as a machine that goes down does."""

    def __init__(self, epoch):
        super().__init__()
        self.kill_epoch, self.epoch = epoch, None

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == self.kill_epoch and batch == 1:
            os._exit(9)


if __name__ == "__main__":
    case, folder, count, index, port = sys.argv[1:6]
    keras.utils.set_random_seed(1)
    if int(count) > 1:
        join_processes(f"localhost:{port}", int(count), int(index))
    kill = [Kill(int(epoch)) for epoch in sys.argv[6:] if int(index) == int(count) - 1]
    CASES[case](Path(folder), kill)
