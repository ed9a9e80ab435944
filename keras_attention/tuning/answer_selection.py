"""Tuning of answer selection: the four models, by MRR of the validation part."""

import dataclasses

from keras_attention.models.answer_selection import APCNN, QACNN, APBiLSTM, QABiLSTM
from keras_attention.training.answer_selection import (
    AnswerSelectionTraining,
    make_loss,
    make_metrics,
    make_optimizer,
)
from keras_attention.training.answer_selection_trainer import AnswerSelectionTrainer
from keras_attention.tuning.task_hyper_model import TaskHyperModel


class AnswerSelectionHyperModel(TaskHyperModel):
    """The hypermodel of `QACNN`, `QABiLSTM`, `APCNN` and `APBiLSTM`.

    What is searched is the model's own `SEARCH_SPACE` with the class' `shared_space`, less what has no meaning beside
    the configuration: the temperature without a softmax and the margin without a triplet loss, a learning rate for
    Adam with another optimiser, the width of word vectors that come from a file and are taken as they are.

    Args:
        configuration: What the search starts from: a dict of sections as a configuration file has them.
        models: Names of the models to choose among; the configuration's own if None.
        space: Changes of the space, see `SearchSpace`.
        vocabulary_size: For `build`.
        steps_per_epoch: For `build`, whose learning-rate schedule counts in steps.
        name: As in KerasTuner.

    Raises:
        ValueError: If a model or a range is not known.

    Example:
    >>> import keras_tuner
    >>> from keras_attention.tuning import AnswerSelectionHyperModel
    >>> hyper_model = AnswerSelectionHyperModel({"model": {"name": "ap_cnn", "filters": 200}})
    >>> hp = keras_tuner.HyperParameters()
    >>> hyper_model.declare_hyperparameters(hp)
    >>> hp["model.filters"], "training.temperature" in hp, "training.margin" in hp
    (200, True, False)
    """

    models = {"ap_bilstm": APBiLSTM, "ap_cnn": APCNN, "qa_bilstm": QABiLSTM, "qa_cnn": QACNN}
    shared_space = {
        # With in-batch wrong answers the batch is also their number: more are harder, and cost more.
        "data": {"batch_size": {"choices": [16, 32, 64]}},
        "training": {
            # Cosines times 10 to 50: flatter hardly tells right from wrong, steeper only sees the hardest answer.
            "temperature": {"minimum": 0.02, "maximum": 0.1, "scale": "log"},
            "average_decay": {"choices": [0.0, 0.99]},  # an average over the last 100 steps, or none
        },
    }

    def __init__(self, configuration, models=None, space=None, vocabulary_size=8000, steps_per_epoch=1000, name=None):
        super().__init__(configuration, models, space, name)
        self.vocabulary_size = vocabulary_size
        self.steps_per_epoch = steps_per_epoch

    @property
    def objective(self):
        return self.configuration.get("training", {}).get("monitor", "mrr")

    def build(self, hp):
        self.declare_hyperparameters(hp)
        configuration = self.configure(hp)
        training = AnswerSelectionTraining(**configuration.get("training", {}))
        options = dict(configuration["model"])
        model = self.models[options.pop("name")](self.vocabulary_size, **options)
        trainer = AnswerSelectionTrainer(model, training.hardest)
        trainer.compile(
            optimizer=make_optimizer(training, self.steps_per_epoch),
            loss=make_loss(training),
            metrics=make_metrics(training),
        )
        trainer.optimizer.build(trainer.trainable_variables)
        return trainer

    def _defaults(self):
        fields = dataclasses.fields(AnswerSelectionTraining)
        return {"training": {field.name: field.default for field in fields}}

    def _has_meaning(self, option):
        training = self.configuration.get("training", {})
        vectors = self.configuration.get("vectors", {})
        if option == "training.learning_rate":
            return training.get("optimizer", "adam") == "adam"
        if option in ("training.temperature", "training.margin"):
            loss = "softmax" if option == "training.temperature" else "triplet"
            return training.get("loss", "softmax") == loss
        if option == "model.embedding_width":
            return "file" not in vectors or vectors.get("frequency_scaled", False)
        return True
