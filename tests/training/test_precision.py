"""Mixed precision: every model trains in it, near to float32, on a CPU too; and what is kept is float32."""

import logging

import keras
import numpy as np
import pytest
from keras import ops

from keras_attention.losses import InBatchSoftmaxLoss, TokenCrossEntropy
from keras_attention.models import RNNEncoderDecoder, RNNSearch, Seq2Seq
from keras_attention.models.answer_selection import APCNN, QACNN, APBiLSTM, QABiLSTM
from keras_attention.models.half_precision import in_float32
from keras_attention.training.adam import adam_class
from keras_attention.training.answer_selection import AnswerSelectionTraining
from keras_attention.training.answer_selection_trainer import AnswerSelectionTrainer
from keras_attention.training.best_and_last import averaged_weights
from keras_attention.training.checkpoint import TrainingCheckpoint
from keras_attention.training.precision import choose_jit_compile, compile_for_training, set_precision
from keras_attention.training.translation import TranslationTraining

VOCABULARY, ROWS = 9, 8
TRANSLATION = {
    Seq2Seq: {"embedding_dim": 8, "units": 8, "layers_count": 1},
    RNNEncoderDecoder: {"embedding_dim": 8, "encoder_units": 8, "decoder_units": 8, "maxout_units": 8},
    RNNSearch: {"embedding_dim": 8, "encoder_units": 4, "decoder_units": 8, "maxout_units": 8},
}
SELECTION = {QACNN: {"filters": 8}, APCNN: {"filters": 8}, QABiLSTM: {"units": 4}, APBiLSTM: {"units": 4}}
MODELS = [*TRANSLATION, *SELECTION]
every_model = pytest.mark.parametrize("cls", MODELS, ids=lambda cls: cls.__name__)
half = pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])


@pytest.fixture(autouse=True)
def _float32_afterwards():
    yield
    set_precision("float32")


def make(cls, precision="float32"):
    keras.utils.set_random_seed(1)
    if cls in TRANSLATION:
        return cls(VOCABULARY, VOCABULARY, **TRANSLATION[cls], dtype=precision)
    return cls(2 * VOCABULARY, embedding_width=8, **SELECTION[cls], dtype=precision)


def batch(cls):
    """Translation: the target says the source's first word. Selection: question w belongs to answer w + VOCABULARY."""
    random = np.random.default_rng(0)
    if cls in TRANSLATION:
        source_ids = random.integers(3, VOCABULARY, (ROWS, 3))
        source_ids[0, 2] = 0
        labels = np.stack([source_ids[:, 0], np.full(ROWS, 2)], 1)
        target_ids = np.stack([np.full(ROWS, 1), source_ids[:, 0]], 1)
        return {"source_ids": source_ids, "target_ids": target_ids}, labels
    words = np.arange(1, VOCABULARY)
    inputs = {"question_ids": words[:, None], "answer_ids": words[:, None] + VOCABULARY - 1}
    return {**inputs, "labels": np.eye(len(words), dtype="float32")}, np.eye(len(words), dtype="float32")


def compiled(cls, precision, optimizer):
    """The model, and what is trained: the model itself or the trainer around it."""
    model = make(cls, precision)
    if cls in TRANSLATION:
        compile_for_training(
            model, TranslationTraining(precision=precision), optimizer=optimizer, loss=TokenCrossEntropy()
        )
        return model, model
    trainer = AnswerSelectionTrainer(model)
    training = AnswerSelectionTraining(precision=precision)
    compile_for_training(trainer, training, optimizer=optimizer, loss=InBatchSoftmaxLoss(0.2))
    return model, trainer


def values(model):
    return [ops.convert_to_numpy(v).astype("float64") for v in model.trainable_variables]


@every_model
def test_a_step_is_near_to_that_in_float32(cls):
    """The change of the weights by one step of SGD, which is the gradient, of all weights together."""
    steps = {}
    for precision in ("float32", "mixed_float16", "mixed_bfloat16"):
        model, trained = compiled(cls, precision, keras.optimizers.SGD(1.0))
        trained.run_eagerly = True
        before = values(model)
        for _ in range(15):  # the first scales of the loss are too large: their steps are left out
            trained.train_on_batch(*batch(cls))
            if any((a != b).any() for a, b in zip(before, values(model))):
                break
        assert {v.dtype for v in model.trainable_variables} == {"float32"}
        steps[precision] = np.concatenate([(b - a).ravel() for a, b in zip(before, values(model))])
    size = np.linalg.norm(steps["float32"])
    assert size > 0.01
    # 11 and 8 bits of mantissa: 0.0005 and 0.004 of each product, added up over the steps of a loop
    for precision, most in (("mixed_float16", 0.01), ("mixed_bfloat16", 0.06)):
        assert np.isfinite(steps[precision]).all()
        assert np.linalg.norm(steps[precision] - steps["float32"]) < most * size
        assert (steps[precision] != steps["float32"]).any(), "not computed in half precision"


@half
@every_model
def test_learning(cls, precision):
    _, trained = compiled(cls, precision, adam_class()(0.03))
    losses = [float(trained.train_on_batch(*batch(cls))) for _ in range(25)]
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.6 * losses[0]


def test_float16_scales_the_loss_and_bfloat16_does_not():
    for cls in (RNNSearch, QACNN):
        for precision, scaled in (("mixed_float16", True), ("mixed_bfloat16", False), ("float32", False)):
            _, trained = compiled(cls, precision, keras.optimizers.SGD(0.1))
            assert isinstance(trained.optimizer, keras.optimizers.LossScaleOptimizer) == scaled


def test_a_gradient_that_overflows_leaves_the_weights_and_halves_the_scale():
    model, trained = compiled(QACNN, "mixed_float16", keras.optimizers.SGD(0.1))
    trained.optimizer.build(model.trainable_variables)
    before = values(model)
    trained.optimizer.dynamic_scale.assign(1e30)
    trained.train_on_batch(*batch(QACNN))
    assert float(trained.optimizer.dynamic_scale) == pytest.approx(5e29)
    for a, b in zip(before, values(model)):
        np.testing.assert_array_equal(a, b)
    trained.optimizer.dynamic_scale.assign(2.0**10)
    trained.train_on_batch(*batch(QACNN))
    assert any((a != b).any() for a, b in zip(before, values(model)))


def test_the_average_and_the_checkpoint_reach_through_the_scaling(tmp_path):
    optimizer = adam_class()(0.1, use_ema=True, ema_momentum=0.5)
    model, trained = compiled(QACNN, "mixed_float16", optimizer)
    trained.optimizer.build(model.trainable_variables)
    trained.optimizer.dynamic_scale.assign(16.0)  # no step is left out
    for _ in range(3):
        trained.train_on_batch(*batch(QACNN))
    now = values(model)
    with averaged_weights(trained):
        assert any((a != b).any() for a, b in zip(now, values(model)))
    for a, b in zip(now, values(model)):
        np.testing.assert_array_equal(a, b)
    trained.optimizer.dynamic_scale.assign(64.0)
    checkpoint = TrainingCheckpoint(tmp_path / "last.npz")
    checkpoint.save(trained, {"epoch": 1})
    optimizer = adam_class()(0.1, use_ema=True, ema_momentum=0.5)
    _, again = compiled(QACNN, "mixed_float16", optimizer)
    checkpoint.restore(again)
    assert float(again.optimizer.dynamic_scale) == 64.0
    assert int(ops.convert_to_numpy(again.optimizer.iterations)) == 3
    losses = [float(one.train_on_batch(*batch(QACNN))) for one in (trained, again)]
    assert losses[0] == losses[1]


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="an option of TensorFlow's graph optimiser")
@pytest.mark.parametrize("cls", [QACNN, RNNSearch], ids=lambda cls: cls.__name__)
def test_making_a_float16_model_turns_the_remapper_off_where_there_is_no_gpu(cls, monkeypatch):
    import tensorflow as tf

    def remapping():
        return tf.config.optimizer.get_experimental_options().get("remapping")

    try:
        tf.config.optimizer.set_experimental_options({"remapping": True})
        make(cls, "mixed_bfloat16")
        assert remapping() is True
        with monkeypatch.context() as patch:
            patch.setattr(tf.config, "list_physical_devices", lambda kind=None: ["a GPU"])
            make(cls, "mixed_float16")
        assert remapping() is True
        make(cls, "mixed_float16")
        assert remapping() is False
    finally:
        tf.config.optimizer.set_experimental_options({"remapping": False})


@half
@pytest.mark.parametrize("cls", [QACNN, RNNSearch], ids=lambda cls: cls.__name__)
def test_what_is_kept_is_float32(cls, precision):
    model = make(cls, precision)
    copy = in_float32(model)
    assert copy.dtype_policy.name == "float32"
    assert {layer.compute_dtype for layer in copy._flatten_layers(include_self=False)} == {"float32"}
    for a, b in zip(values(model), values(copy)):
        np.testing.assert_array_equal(a, b)
    inputs, _ = batch(cls)
    if cls is QACNN:
        inputs = {"question_ids": inputs["question_ids"], "answer_ids": inputs["answer_ids"][:, None]}
    exact, rounded = (ops.convert_to_numpy(m(inputs)) for m in (copy, model))
    np.testing.assert_allclose(rounded, exact, atol=0.05)
    assert in_float32(copy) is copy


def test_the_policy_is_set_in_one_place_and_the_log_says_what_is_used(caplog):
    set_precision("mixed_float16")
    model = QACNN(9, embedding_width=4, filters=3)
    with caplog.at_level(logging.INFO, "keras_attention"):
        compile_for_training(model, AnswerSelectionTraining(precision="mixed_float16"), optimizer="adam", loss="mse")
    assert "precision mixed_float16 with loss scaling; jit_compile=" in caplog.text
    with pytest.raises(ValueError, match="of 'mixed_float16'"):
        compile_for_training(model, AnswerSelectionTraining(), optimizer="adam", loss="mse")


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the choice on TensorFlow")
def test_xla_where_it_works_and_helps(monkeypatch):
    import tensorflow as tf

    assert choose_jit_compile(make(QACNN)) == (False, "no GPU; on a CPU the fused loops are as fast without XLA")
    assert choose_jit_compile(make(QACNN), True) == (True, "as configured")
    with tf.distribute.OneDeviceStrategy("CPU:0").scope():
        assert choose_jit_compile(make(QACNN))[0] is False
    models = [make(cls) for cls in (QACNN, QABiLSTM, Seq2Seq, RNNSearch)]
    reset_after = RNNSearch(9, 9, **TRANSLATION[RNNSearch], reset_after=True)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: ["a GPU"])
    # Those of answer selection have no cuDNN kernels, Seq2Seq has LSTMs, RNNSearch has GRUs: cuDNN's reset after.
    assert [choose_jit_compile(model)[0] for model in models] == [True, True, False, True]
    assert choose_jit_compile(reset_after)[0] is False


@pytest.mark.parametrize("cls", [TranslationTraining, AnswerSelectionTraining])
def test_unknown_settings(cls):
    with pytest.raises(ValueError, match="precision='float16'"):
        cls(precision="float16")
    with pytest.raises(ValueError, match="jit_compile='yes'"):
        cls(jit_compile="yes")
    with pytest.raises(ValueError, match="precision='half'"):
        set_precision("half")
