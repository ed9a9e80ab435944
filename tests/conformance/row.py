"""What a row of the conformance table is, and how a class of each kind is called."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np
from keras import ops


@dataclasses.dataclass(frozen=True)
class Row:
    """One public class, with everything the property tests need to know of it.

    Attributes:
        make: `make(**extra)` builds an instance; `extra` may hold `dtype` and `name`. Every constructor argument has a
            value that is not its default in at least one row of the class: defaults hide what `get_config` forgets.
        sample: `sample(padding=0, content=0, empty=False)` gives the arguments of a call, `(args, kwargs)` with numpy
            arrays. `padding` adds as many masked positions to every axis that can have them; another `content` changes
            what stands at masked positions and nothing else; `empty` masks the last sequence of the batch wholly.
        real: Takes the list of outputs (numpy) and gives those parts of them that belong to real positions, the same
            whatever the padding.
        float32_outputs: Numbers of the outputs that are float32 under every policy: weights, similarities, logits.
        rows_of_weights: Numbers of the outputs whose last axis is a softmax: it sums to 1, or to 0 where all is masked.
        position_wise: The class reads no mask, since no position or item looks at another.
        not_in_config: Constructor arguments that are weights and not configuration.
        keep_default: Constructor arguments that no row changes, each for a reason given beside the row.
        slow_graph: Compiling it with XLA takes seconds: the test uses a plain graph.
        unknown_lengths: A graph traced once for every length works.
        name: Told apart in the tests' output; the class' name unless a class has several rows.
    """

    cls: type
    make: Callable
    sample: Callable
    real: Callable = lambda outputs: outputs
    float32_outputs: tuple = ()
    rows_of_weights: tuple = ()
    position_wise: bool = False
    not_in_config: tuple = ()
    keep_default: tuple = ()
    slow_graph: bool = False
    unknown_lengths: bool = True
    name: str = ""

    @property
    def kind(self):
        """One of "model", "layer", "loss", "metric"."""
        for kind in (keras.Model, keras.layers.Layer, keras.losses.Loss, keras.metrics.Metric):
            if issubclass(self.cls, kind):
                return {keras.layers.Layer: "layer"}.get(kind, kind.__name__.lower())
        raise ValueError(f"A row is a Keras layer, model, loss or metric. Received: cls={self.cls}")

    def __str__(self):
        return self.name or self.cls.__name__


def call(instance, sample):
    """Call an instance of any kind; return its outputs as a flat list of tensors."""
    args, kwargs = sample
    if isinstance(instance, keras.metrics.Metric):
        instance.reset_state()
        instance.update_state(*args, **kwargs)
        return [ops.convert_to_tensor(instance.result())]
    return keras.tree.flatten(instance(*args, **kwargs))


def numbers(outputs):
    """Turn tensors into numpy arrays, low precisions into float32."""
    return [
        ops.convert_to_numpy(ops.cast(x, "float32") if "float" in keras.backend.standardize_dtype(x.dtype) else x)
        for x in outputs
    ]


def as_tensors(sample):
    """Numpy arrays of a sample as tensors; flags stay what they are."""
    return keras.tree.map_structure(lambda x: ops.convert_to_tensor(x) if isinstance(x, np.ndarray) else x, sample)


def plain_config(instance):
    """The config without the marks that Keras leaves on nested objects while it saves."""

    def plain(x):
        if isinstance(x, dict):
            return {key: plain(value) for key, value in x.items() if key != "shared_object_id"}
        return [plain(value) for value in x] if isinstance(x, (list, tuple)) else x

    return plain(instance.get_config())


def built_pair(row, **extra):
    """Two instances of the row with the same weights: one as the row has it, one with `extra`."""
    first, second = row.make(), row.make(**extra)
    call(first, row.sample())
    call(second, row.sample())
    copy_weights(first, second)
    return first, second


def copy_weights(source, target):
    if isinstance(source, keras.layers.Layer):
        target.set_weights(source.get_weights())


def assert_same(got, expected, **tolerance):
    assert len(got) == len(expected)
    for a, b in zip(got, expected):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, **tolerance)


def sequence(seed, lengths, width, padding=0, content=0, scale=1.0):
    """Vectors `(len(lengths), max(lengths) + padding, width)`, and their mask.

    Real vectors depend on `seed` alone, what stands at padding on `content`.
    """
    longest = max(lengths)
    real = np.random.default_rng(seed).normal(size=(len(lengths), longest, width)) * scale
    vectors = np.random.default_rng([seed, content]).normal(size=(len(lengths), longest + padding, width)) * 5
    mask = np.arange(longest + padding) < np.asarray(lengths)[:, None]
    vectors[:, :longest][mask[:, :longest]] = real[mask[:, :longest]]
    return vectors.astype("float32"), mask


def token_ids(seed, lengths, vocabulary_size, padding=0):
    """Ids `(len(lengths), max(lengths) + padding)` from 1 up, 0 at padding."""
    longest = max(lengths)
    ids = np.random.default_rng(seed).integers(1, vocabulary_size, (len(lengths), longest))
    ids = np.pad(ids, ((0, 0), (0, padding)))
    return np.where(np.arange(longest + padding) < np.asarray(lengths)[:, None], ids, 0).astype("int32")
