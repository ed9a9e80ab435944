"""The hypermodels of both tasks: all seven models, what is searched beside which configuration, and what it becomes."""

import tomllib
from pathlib import Path

import keras
import keras_tuner
import numpy as np
import pytest

from examples.answer_selection.config import load_config as load_answer_selection
from examples.translation.config import load_config as load_translation
from keras_attention.tuning import AnswerSelectionHyperModel, TranslationHyperModel, write_toml
from keras_attention.tuning.oracles import make_oracle

TINY = {
    "seq2seq": {"embedding_dim": 4, "units": 4, "layers_count": 1},
    "rnn_encoder_decoder": {"embedding_dim": 4, "encoder_units": 4, "decoder_units": 4, "maxout_units": 4},
    "rnn_search": {
        "embedding_dim": 4,
        "encoder_units": 4,
        "decoder_units": 4,
        "attention_units": 4,
        "maxout_units": 4,
    },
    "qa_cnn": {"embedding_width": 4, "filters": 4},
    "qa_bilstm": {"embedding_width": 4, "units": 4},
    "ap_cnn": {"embedding_width": 4, "filters": 4},
    "ap_bilstm": {"embedding_width": 4, "units": 4},
}
ALL = [(TranslationHyperModel, name) for name in sorted(TranslationHyperModel.models)]
ALL += [(AnswerSelectionHyperModel, name) for name in sorted(AnswerSelectionHyperModel.models)]
LOADERS = {TranslationHyperModel: load_translation, AnswerSelectionHyperModel: load_answer_selection}


def searched(hyper_model):
    hp = keras_tuner.HyperParameters()
    hyper_model.declare_hyperparameters(hp)
    return set(hp.values)


@pytest.mark.parametrize("cls, name", ALL, ids=[name for _, name in ALL])
def test_what_is_drawn_is_a_configuration_that_train_takes(cls, name, tmp_path):
    hyper_model = cls({"model": {"name": name}, "training": {"epochs": 4, "seed": 7}})
    oracle = make_oracle("random", hyper_model.objective, trials=12)
    hp = oracle.get_space()
    hyper_model.declare_hyperparameters(hp)
    oracle.update_space(hp)
    for number in range(12):
        values = oracle.populate_space(str(number))["values"]
        oracle._tried_so_far.add(str(values))
        configuration = hyper_model.configure(values)
        loaded = LOADERS[cls](write_toml(tmp_path / "config.toml", configuration))
        assert loaded.model == configuration["model"]
        assert (loaded.training.epochs, loaded.training.seed) == (4, 7)
        assert loaded.data["batch_size"] == values["data.batch_size"]
        assert loaded.training.learning_rate == pytest.approx(values["training.learning_rate"], rel=1e-5)


@pytest.mark.parametrize("cls, name", ALL, ids=[name for _, name in ALL])
def test_build_gives_a_model_whose_moments_can_be_saved(cls, name, tmp_path):
    """Saved before a step is made, as KerasTuner's Hyperband may: an optimiser not built would have no moments then."""
    sizes = {"vocabulary_sizes": (9, 11)} if cls is TranslationHyperModel else {"vocabulary_size": 11}
    hyper_model = cls({"model": {"name": name}}, space={"model": TINY[name]}, **sizes)
    model = hyper_model.build(keras_tuner.HyperParameters())
    assert model.optimizer.built
    for number, variable in enumerate(model.optimizer.variables):
        if "learning_rate" not in variable.path:
            variable.assign(keras.ops.full(variable.shape, number, dtype=variable.dtype))
    model.save_weights(tmp_path / "model.weights.h5")
    again = hyper_model.build(keras_tuner.HyperParameters())
    again.load_weights(tmp_path / "model.weights.h5")
    assert len(again.optimizer.variables) > len(again.trainable_variables)
    for one, other in zip(model.optimizer.variables, again.optimizer.variables):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_the_model_itself_can_be_searched():
    hyper_model = TranslationHyperModel(
        {"model": {"name": "rnn_search", "encoder_units": 192}}, models=["rnn_search", "seq2seq"]
    )
    names = searched(hyper_model)
    assert {"model.name", "model.encoder_units", "data.batch_size"} <= names
    assert "model.layers_count" not in names
    assert hyper_model.configure({"model.name": "seq2seq", "model.layers_count": 2})["model"] == {
        "name": "seq2seq",
        "layers_count": 2,
    }
    assert hyper_model.configure({"model.name": "rnn_search"})["model"]["encoder_units"] == 192


def test_an_override_for_several_models_goes_where_it_belongs():
    hyper_model = TranslationHyperModel(
        {"model": {"name": "seq2seq"}}, models=["rnn_search", "seq2seq"], space={"model": {"layers_count": 2}}
    )
    assert hyper_model.configure({"model.name": "seq2seq"})["model"]["layers_count"] == 2
    assert "layers_count" not in hyper_model.configure({"model.name": "rnn_search"})["model"]


@pytest.mark.parametrize(
    "configuration, has, has_not",
    [
        ({}, "training.temperature", "training.margin"),
        ({"training": {"loss": "triplet"}}, "training.margin", "training.temperature"),
        ({"training": {"optimizer": "sgd"}}, "training.temperature", "training.learning_rate"),
        ({"vectors": {"file": "embedded"}}, "model.filters", "model.embedding_width"),
        ({"vectors": {"file": "embedded", "frequency_scaled": True}}, "model.embedding_width", "training.margin"),
    ],
)
def test_answer_selection_searches_what_has_a_meaning(configuration, has, has_not):
    names = searched(AnswerSelectionHyperModel({"model": {"name": "ap_cnn"}, **configuration}))
    assert has in names
    assert has_not not in names


def test_translation_searches_what_has_a_meaning():
    base = {"model": {"name": "seq2seq"}, "data": {"batch_tokens": 900}, "training": {"optimizer": "adadelta"}}
    assert not {"data.batch_size", "training.learning_rate"} & searched(TranslationHyperModel(base))
    rate = {"minimum": 0.1, "maximum": 1.0}
    forced = TranslationHyperModel(base, space={"training": {"learning_rate": rate}})
    assert "training.learning_rate" in searched(forced)


def test_objectives():
    assert TranslationHyperModel({"model": {"name": "seq2seq"}}).objective == "bleu"
    assert AnswerSelectionHyperModel({"model": {"name": "qa_cnn"}}).objective == "mrr"
    monitored = {"model": {"name": "qa_cnn"}, "training": {"monitor": "accuracy_at_1"}}
    assert AnswerSelectionHyperModel(monitored).objective == "accuracy_at_1"


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        ({"configuration": {}}, "model=None"),
        ({"configuration": {"model": {"name": "qa_cnn"}}}, "model='qa_cnn'"),
        ({"configuration": {}, "models": ["seq2seq", "lstm"]}, "model='lstm'"),
        ({"configuration": {"model": {"name": "seq2seq"}}, "space": {"model": {"unit": 3}}}, "'unit'"),
    ],
)
def test_bad_arguments(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        TranslationHyperModel(**arguments)


def test_the_generic_configurations_lie_in_their_space():
    """So that the first trial of a search is the configuration itself."""

    examples = Path(__file__).parents[2] / "examples"
    for cls, task in ((TranslationHyperModel, "translation"), (AnswerSelectionHyperModel, "answer_selection")):
        path = examples / task / "configs" / "generic.toml"
        configuration = tomllib.loads(path.read_text("utf-8"))
        hyper_model = cls(configuration)
        hp = keras_tuner.HyperParameters()
        hyper_model.declare_hyperparameters(hp)
        assert hyper_model.configure(hp) == configuration
