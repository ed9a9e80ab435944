"""Tuning of translation: the three models, by BLEU of the validation part."""

import dataclasses

from keras_attention.models.translation import RNNEncoderDecoder, RNNSearch, Seq2Seq
from keras_attention.training.translation import TranslationTraining, make_loss, make_optimizer
from keras_attention.tuning.task_hyper_model import TaskHyperModel


class TranslationHyperModel(TaskHyperModel):
    """The hypermodel of `Seq2Seq`, `RNNEncoderDecoder` and `RNNSearch`.

    What is searched is the model's own `SEARCH_SPACE` with the class' `shared_space`, less what has no meaning beside
    the configuration: a learning rate for Adam with another optimiser, a number of sentences where batches are counted
    in tokens. The vocabulary is not searched: how large it may be depends on the corpus, so give it in `space`.

    Args:
        configuration: What the search starts from: a dict of sections as a configuration file has them.
        models: Names of the models to choose among; the configuration's own if None.
        space: Changes of the space, see `SearchSpace`.
        vocabulary_sizes: `(source, target)`, for `build`.
        steps_per_epoch: For `build`, whose learning-rate schedule counts in steps.
        name: As in KerasTuner.

    Raises:
        ValueError: If a model or a range is not known.

    Example:
    >>> import keras_tuner
    >>> from keras_attention.tuning import TranslationHyperModel
    >>> hyper_model = TranslationHyperModel({"model": {"name": "rnn_search", "embedding_dim": 128}})
    >>> hp = keras_tuner.HyperParameters()
    >>> hyper_model.declare_hyperparameters(hp)
    >>> hp["model.embedding_dim"], "training.learning_rate" in hp
    (128, True)
    """

    models = {"rnn_encoder_decoder": RNNEncoderDecoder, "rnn_search": RNNSearch, "seq2seq": Seq2Seq}
    shared_space = {
        # Small batches make more updates of an epoch, large ones use the machine better: which wins depends on both.
        "data": {"batch_size": {"choices": [32, 64, 128]}},
        "training": {
            # A tenth is usual; nothing is better where sentences are short and sure.
            "label_smoothing": {"choices": [0.0, 0.1, 0.2]},
            # Averages over the last 100 or 500 steps or none; a longer one trails behind a short run.
            "average_decay": {"choices": [0.0, 0.99, 0.998]},
        },
    }

    def __init__(
        self, configuration, models=None, space=None, vocabulary_sizes=(8000, 8000), steps_per_epoch=1000, name=None
    ):
        super().__init__(configuration, models, space, name)
        self.vocabulary_sizes = tuple(vocabulary_sizes)
        self.steps_per_epoch = steps_per_epoch

    @property
    def objective(self):
        return "bleu"

    def build(self, hp):
        self.declare_hyperparameters(hp)
        configuration = self.configure(hp)
        training = TranslationTraining(**configuration.get("training", {}))
        options = dict(configuration["model"])
        model = self.models[options.pop("name")](*self.vocabulary_sizes, **options)
        model.compile(optimizer=make_optimizer(training, self.steps_per_epoch), loss=make_loss(training))
        model.optimizer.build(model.trainable_variables)
        return model

    def _defaults(self):
        fields = dataclasses.fields(TranslationTraining)
        return {"training": {field.name: field.default for field in fields}}

    def _has_meaning(self, option):
        if option == "training.learning_rate":
            return self.configuration.get("training", {}).get("optimizer", "adam") == "adam"
        if option == "data.batch_size":
            return "batch_tokens" not in self.configuration.get("data", {})
        return True
