import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_attention.training.adam import adam_class
from keras_attention.training.one_pass_adam import OnePassAdam

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="made of TensorFlow's operations")
SHAPES = ((7, 3), (3,), (2, 2, 2))
RANDOM = np.random.default_rng(0)
FIRST = [RANDOM.normal(size=shape) for shape in SHAPES]
GRADIENTS = [[RANDOM.normal(size=shape) * scale for shape in SHAPES] for scale in (1.0, 0.01, 3.0, 1e-4, 0.5)]


def updated(cls, dtype="float32", gradients=GRADIENTS, compiled=None, **options):
    """Return the weights, the moments and the averages after five steps."""
    weights = [keras.Variable(x, dtype=dtype) for x in FIRST]
    optimizer = cls(**{"learning_rate": 0.125, **options})
    optimizer.build(weights)

    def step(*grads):
        optimizer.apply(list(grads), weights)

    if compiled is not None:
        step = tf.function(step, jit_compile=compiled)
    for grads in gradients:
        step(*[g if isinstance(g, tf.IndexedSlices) else tf.constant(g, dtype) for g in grads])
    return [np.asarray(v) for v in [*weights, *optimizer.variables]]


OPTIONS = [
    {},
    {"global_clipnorm": 1.0},
    {"clipnorm": 0.5},
    {"clipvalue": 0.2},
    {"use_ema": True, "ema_momentum": 0.9},
    {"weight_decay": 0.01, "global_clipnorm": 1.0, "use_ema": True, "ema_momentum": 0.5},
    {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3},
    {"amsgrad": True},
    {"gradient_accumulation_steps": 2, "global_clipnorm": 1.0},
    {"loss_scale_factor": 8.0, "global_clipnorm": 0.5},
    {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2},
    {"global_clipnorm": -1.0},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_numbers_are_those_of_keras(options):
    ours = updated(OnePassAdam, "float64", compiled=False, **options)
    for a, b in zip(ours, updated(keras.optimizers.Adam, "float64", **options), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)  # Keras rounds its scalars to float32


@pytest.mark.parametrize("compiled", [None, True], ids=["eager", "xla"])
def test_eagerly_and_under_xla_as_in_a_graph(compiled):
    options = {"global_clipnorm": 1.0, "use_ema": True, "weight_decay": 0.01}
    ours = updated(OnePassAdam, "float64", compiled=compiled, **options)
    for a, b in zip(ours, updated(OnePassAdam, "float64", compiled=False, **options), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)


def test_the_numbers_are_those_of_the_paper():
    weights, m, v, average = FIRST[0], 0.0, 0.0, FIRST[0]
    for t, grads in enumerate(GRADIENTS, 1):
        gradient = grads[0] * min(1.0, 0.7 / np.sqrt(sum((g**2).sum() for g in grads)))
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        weights = weights - 0.125 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-7)
        average = weights if t == 1 else 0.8 * average + 0.2 * weights
    found = updated(OnePassAdam, "float64", use_ema=True, ema_momentum=0.8, global_clipnorm=0.7)
    np.testing.assert_allclose(found[0], weights, rtol=1e-7)
    assert any(x.shape == average.shape and np.allclose(x, average, rtol=1e-7, atol=0) for x in found[3:])


def test_slices_of_one_row_are_added_before_they_are_squared():
    rows, values = [1, 4, 1, 1], RANDOM.normal(size=(4, 3)).astype("float32")
    whole = np.zeros((7, 3), "float32")
    np.add.at(whole, rows, values)
    slices = tf.IndexedSlices(tf.constant(values), tf.constant(rows), tf.constant([7, 3]))
    options = {"global_clipnorm": 0.5, "use_ema": True}
    sliced = updated(OnePassAdam, gradients=[[slices, *g[1:]] for g in GRADIENTS], **options)
    dense = updated(keras.optimizers.Adam, gradients=[[whole, *g[1:]] for g in GRADIENTS], **options)
    for a, b in zip(sliced, dense, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
    # What Keras makes of the slices: the squares of three occurrences of row 1 instead of that of their sum.
    keras_own = updated(keras.optimizers.Adam, gradients=[[slices, *g[1:]] for g in GRADIENTS], **options)
    assert np.abs(keras_own[0][1] - dense[0][1]).max() > 1e-3


def test_a_weight_without_a_gradient_stays():
    gradients = [[g[0], None, g[2]] for g in GRADIENTS]
    weights = [keras.Variable(x, dtype="float32") for x in FIRST]
    optimizer = OnePassAdam(0.1, global_clipnorm=1.0)
    for grads in gradients:
        grads = [None if g is None else tf.constant(g, "float32") for g in grads]
        with pytest.warns(UserWarning, match="Gradients do not exist"):
            optimizer.apply(grads, weights)
    np.testing.assert_array_equal(weights[1], FIRST[1].astype("float32"))
    assert np.abs(np.asarray(weights[0]) - FIRST[0]).min() > 0.01


def test_a_gradient_that_is_not_finite_is_not_hidden_by_clipping():
    weights = [keras.Variable(FIRST[0], dtype="float32")]
    OnePassAdam(0.1, global_clipnorm=1.0).apply([tf.fill((7, 3), np.float32("inf"))], weights)
    assert np.isnan(weights[0]).all()


def test_one_update_of_a_weight_is_one_operation():
    weights = [keras.Variable(x, dtype="float32") for x in FIRST]
    optimizer = OnePassAdam(0.1, global_clipnorm=1.0, use_ema=True)
    optimizer.build(weights)
    step = tf.function(lambda *grads: optimizer.apply(list(grads), weights))
    graph = step.get_concrete_function(*[tf.constant(g, "float32") for g in GRADIENTS[0]]).graph
    passes = [op.type for op in graph.get_operations() if any(t.shape == (7, 3) for t in op.outputs)]
    # The gradient comes and is scaled; weight and average are read and their difference taken.
    silent = {"Identity", "IdentityN", "Placeholder", "ReadVariableOp"}
    assert sorted(op for op in passes if op not in silent) == ["Mul", "Sub"]
    assert sum(op.type == "ResourceApplyAdam" for op in graph.get_operations()) == len(SHAPES)


def test_a_compiled_model_is_saved_and_trained_on(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(OnePassAdam(0.01, use_ema=True, global_clipnorm=1.0), "mse")
    x, y = RANDOM.normal(size=(8, 3)), RANDOM.normal(size=(8, 2))
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.optimizer, OnePassAdam)
    losses = [one.fit(x, y, epochs=2, shuffle=False, verbose=0).history["loss"] for one in (model, loaded)]
    np.testing.assert_allclose(*losses, rtol=1e-6)


def test_a_strategy_has_keras_own():
    assert adam_class() is OnePassAdam
    with tf.distribute.OneDeviceStrategy("/cpu:0").scope():
        assert adam_class() is keras.optimizers.Adam
