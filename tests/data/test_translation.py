import logging

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_attention.data import translation_dataset
from keras_attention.text import SentencePieceTokenizer, WordTokenizer

# Letters as tokens: a=4, b=5, ... in the order of the alphabet, since each is seen as often.
LETTERS = WordTokenizer.train([" ".join("abcdefgh")])


def random_corpus(count=203, seed=0):
    random = np.random.default_rng(seed)
    sources = [" ".join(random.choice(list("abcdefgh"), random.integers(0, 12))) for _ in range(count)]
    targets = [" ".join(random.choice(list("abcdefgh"), len(s) // 2 + random.integers(0, 3))) for s in sources]
    return sources, targets


def build(corpus=None, **options):
    options = {"batch_size": 8, "bucket_count": 4, **options}
    sources, targets = corpus or random_corpus()
    return translation_dataset(sources, targets, LETTERS, LETTERS, **options)


def batches(data, count):
    return [tf.nest.map_structure(lambda t: t.numpy(), batch) for batch in data.dataset.take(count)]


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(tf.nest.flatten(first), tf.nest.flatten(second), strict=True))


def pairs_in(batch):
    """The sentence pairs of a batch as text, those that fill up left out."""
    inputs, labels, weights = batch
    real = weights.sum(axis=1) > 0
    decode = [[raw.decode() for raw in LETTERS.detokenize(ids[real]).numpy()] for ids in (inputs["source_ids"], labels)]
    return list(zip(*decode))


def test_a_batch_by_hand():
    data = translation_dataset(
        ["a b", "", "c"], ["b", "a b c", ""], LETTERS, LETTERS, batch_size=4, bucket_shapes=[(3, 4)], shuffle=False
    )
    ((inputs, labels, weights),) = batches(data, 10)
    assert inputs["source_ids"].tolist() == [[4, 5, 3], [3, 0, 0], [6, 3, 0], [6, 3, 0]]
    assert inputs["target_ids"].tolist() == [[2, 5, 0, 0], [2, 4, 5, 6], [2, 0, 0, 0], [2, 0, 0, 0]]
    assert labels.tolist() == [[5, 3, 0, 0], [4, 5, 6, 3], [3, 0, 0, 0], [3, 0, 0, 0]]
    assert weights.tolist() == [[1, 1, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert data.rows.tolist() == [0, 1, 2, -1]
    assert data.steps_per_epoch == 1
    assert data.token_count == 3 + 1 + 2 + 2 + 4 + 1
    assert data.padding_fraction == pytest.approx(1 - 13 / 28)
    dtypes = [inputs["source_ids"].dtype, inputs["target_ids"].dtype, labels.dtype, weights.dtype]
    assert dtypes == ["int32", "int32", "int32", "float32"]


@pytest.mark.parametrize("sizes", [{"batch_size": 8}, {"batch_size": None, "batch_tokens": 50}])
@pytest.mark.parametrize("shuffle", [True, False])
def test_an_epoch_holds_every_pair_once_in_the_buckets_shapes(sizes, shuffle):
    sources, targets = random_corpus()
    data = build(shuffle=shuffle, **sizes)
    epoch = batches(data, data.steps_per_epoch)
    assert len(epoch) == data.steps_per_epoch
    shapes = {}
    for inputs, labels, weights in epoch:
        size, source_length = inputs["source_ids"].shape
        assert inputs["target_ids"].shape == labels.shape == weights.shape
        assert shapes.setdefault((source_length, labels.shape[1]), size) == size
        # No row without a real token, copies among them; the target row is the label row, shifted by one.
        assert (inputs["source_ids"] != 0).any(axis=1).all()
        assert (inputs["target_ids"][:, 0] == 2).all()
        for target_ids, label in zip(inputs["target_ids"], labels):
            length = np.count_nonzero(label)
            assert target_ids.tolist() == [2, *label[: length - 1], *[0] * (len(label) - length)]
            assert label[length - 1] == 3
        rows = weights.sum(axis=1) > 0
        assert (weights[rows] == (labels[rows] != 0)).all()
    assert sorted(shapes) == sorted(data.bucket_shapes)
    assert sorted(shapes.values()) == sorted(data.batch_sizes)
    assert sorted(pair for batch in epoch for pair in pairs_in(batch)) == sorted(zip(sources, targets))
    cells = sum(batch[0]["source_ids"].size + batch[1].size for batch in epoch)
    assert data.padding_fraction == pytest.approx(1 - data.token_count / cells)


def test_a_resumed_run_sees_what_an_uninterrupted_run_saw():
    straight, resumed = build(seed=5), build(seed=5, first_epoch=2)
    steps = straight.steps_per_epoch
    everything = batches(straight, 4 * steps)
    assert same(everything[2 * steps :], batches(resumed, 2 * steps))
    assert same(everything[steps : 2 * steps], [tf.nest.map_structure(np.asarray, b) for b in straight.one_epoch(1)])


def test_epochs_and_seeds_differ_in_rows_and_in_the_order_of_batches():
    data, other = build(seed=5), build(seed=6)
    steps = data.steps_per_epoch
    first, second = (batches(data, 2 * steps)[part] for part in (slice(steps), slice(steps, None)))
    for a, b in ((first, second), (first, batches(other, steps))):
        assert not same([x[2].shape for x in a], [x[2].shape for x in b])  # the order of the shapes
        assert {frozenset(pairs_in(x)) for x in a} != {frozenset(pairs_in(x)) for x in b}  # who shares a batch


def test_prefetch_changes_nothing():
    assert same(batches(build(prefetch=0), 30), batches(build(prefetch=8), 30))


def test_restore_brings_back_the_order():
    sources, _ = random_corpus()
    data = build(shuffle=False)
    found = []
    for inputs, _, _ in batches(data, 1000):
        found += [raw.decode() for raw in LETTERS.detokenize(inputs["source_ids"]).numpy()]
    assert data.restore(found) == sources
    assert len(list(data.dataset)) == data.steps_per_epoch == data.dataset.cardinality()
    with pytest.raises(ValueError, match="Received: 3"):
        data.restore([1, 2, 3])
    with pytest.raises(ValueError, match="shuffle=True"):
        _ = build().rows


def test_too_long_pairs_are_dropped_and_counted(caplog):
    sources, targets = random_corpus()
    short = [i for i in range(len(sources)) if len(sources[i].split()) < 8 and len(targets[i].split()) < 6]
    with caplog.at_level(logging.WARNING):
        data = build(maximum_length=(8, 6), shuffle=False)
    assert data.dropped == len(sources) - len(short) > 0
    assert f"{data.dropped} of {len(sources)} sentence pairs are too long" in caplog.text
    assert data.row_count == len(short)
    assert sorted(row for row in data.rows if row >= 0) == short
    values = data.rows.tolist()
    assert data.restore(values) == short
    assert max(s for s, _ in data.bucket_shapes) <= 8
    assert max(t for _, t in data.bucket_shapes) <= 6
    caplog.clear()
    assert build().dropped == 0
    assert not caplog.records


def test_given_shapes_drop_what_none_of_them_holds():
    data = build((["a b c", "a", "a b"], ["a", "a b c", "a"]), bucket_shapes=[(3, 2), (2, 4)], batch_size=1)
    assert data.dropped == 1
    assert data.bucket_shapes == [(3, 2), (2, 4)]


def test_tokens_are_those_of_the_tokenizer():
    texts = ["the cat sat.", "", "😀 cat", "a  dog", "x " * 50]
    tokenizer = SentencePieceTokenizer.train(["the cat sat.", "a dog"], 24)
    data = translation_dataset(texts, texts[::-1], tokenizer, tokenizer, batch_size=2, bucket_count=2, shuffle=False)
    rows = [row for inputs, _, _ in batches(data, 100) for row in inputs["source_ids"].tolist()]
    expected = [[*ids, 3] for ids in tokenizer.tokenize(texts).to_list()]
    assert [[i for i in row if i] for row in data.restore(rows)] == expected


def test_a_model_learns_from_it():
    data = build()
    ids = keras.Input((None,), dtype="int32", name="target_ids")
    source_ids = keras.Input((None,), dtype="int32", name="source_ids")
    sums = keras.ops.sum(keras.layers.Embedding(12, 12)(source_ids), axis=1, keepdims=True)
    model = keras.Model({"source_ids": source_ids, "target_ids": ids}, keras.layers.Embedding(12, 12)(ids) + sums)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(data.dataset, epochs=2, steps_per_epoch=data.steps_per_epoch, verbose=0).history["loss"]
    assert history[1] < history[0]


def test_one_batch_size_is_static():
    inputs, labels, _ = build(batch_size=8).dataset.element_spec
    assert inputs["source_ids"].shape.as_list() == labels.shape.as_list() == [8, None]


def test_errors():
    with pytest.raises(ValueError, match="2 sources and 1 targets"):
        build((["a", "b"], ["a"]))
    with pytest.raises(ValueError, match="at least one sentence pair"):
        build(([], []))
    with pytest.raises(ValueError, match="one string"):
        build(("a b", ["a"]))
    with pytest.raises(ValueError, match=r"shortest has \[3, 2\] tokens.*maximum_length=1"):
        build((["a b"], ["a"]), maximum_length=1)
    with pytest.raises(ValueError, match="batch_size=8, batch_tokens=8"):
        build(batch_size=8, batch_tokens=8)
    with pytest.raises(ValueError, match="batch_size=0"):
        build(batch_size=0)
    with pytest.raises(ValueError, match="first_epoch=-1"):
        build(first_epoch=-1)
    with pytest.raises(ValueError, match="count=0"):
        build(bucket_count=0)
