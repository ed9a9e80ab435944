import numpy as np
import pytest
import tensorflow as tf

from keras_attention.data import lexical_vectors
from keras_attention.data.lexical_vectors import _decompose, _expected_counts


def expected_counts(sources, targets, size, iterations):
    return _expected_counts(
        np.concatenate([np.array(s, "int64") for s in sources]),
        np.array([len(s) for s in sources]),
        np.concatenate([np.array(t, "int64") for t in targets]),
        np.array([len(t) for t in targets]),
        size,
        iterations,
    )


def slow_counts(sources, targets, iterations):
    """Model 1 as the paper writes it: one pair, one target word, one source word at a time."""
    table = {}
    for _ in range(iterations):
        counts, totals = {}, {}
        for source, target in zip(sources, targets):
            for y in target:
                norm = sum(table.get((x, y), 1.0) for x in source)
                for x in source:
                    share = table.get((x, y), 1.0) / norm
                    counts[x, y] = counts.get((x, y), 0.0) + share
                    totals[x] = totals.get(x, 0.0) + share
        table = {(x, y): count / totals[x] for (x, y), count in counts.items()}
    return counts


def test_counts_equal_the_slow_loop():
    rng = np.random.default_rng(0)
    sources = [rng.integers(1, 6, size).tolist() for size in (3, 1, 4, 2, 5)]
    targets = [rng.integers(1, 7, size).tolist() for size in (2, 3, 1, 4, 3)]
    keys, counts = expected_counts(sources, targets, 7, 3)
    found = {(int(key) // 7, int(key) % 7): count for key, count in zip(keys, counts)}
    slow = slow_counts(sources, targets, 3)
    assert found.keys() == slow.keys()
    for pair, count in slow.items():
        assert found[pair] == pytest.approx(count)


def test_alignment_is_resolved_by_what_the_pairs_share():
    # "the dog", "the cat", "a dog": each alone is ambiguous, together they are not.
    keys, counts = expected_counts([[1, 2], [1, 3], [4, 2]], [[5, 6], [5, 7], [8, 6]], 9, 20)
    table = {(int(key) // 9, int(key) % 9): count for key, count in zip(keys, counts)}
    assert table[1, 5] > 1.9
    assert table[2, 6] > 1.9


def test_a_word_lies_nearest_to_its_translation():
    rng = np.random.default_rng(1)
    words = 30
    lexicon = rng.permutation(words)
    sources = [rng.choice(words, 5, replace=False).tolist() for _ in range(400)]
    targets = [[int(lexicon[x]) for x in rng.permutation(s)] for s in sources]
    source, target = lexical_vectors(sources, targets, words, words, 30)
    assert np.array_equal((source @ target.T).argmax(axis=1), lexicon)
    np.testing.assert_allclose(np.linalg.norm(source, axis=1), 1, rtol=1e-5)


def test_unseen_words_have_rows_of_zeros():
    source, target = lexical_vectors([[1, 2], [1]], [[3, 1], [3]], 5, 4, 2)
    assert not source[[0, 3, 4]].any()
    assert not target[[0, 2]].any()
    assert np.isfinite(source).all()


def test_ragged_and_lists_give_the_same():
    sources, targets = [[1, 2], [], [3, 1]], [[2], [1, 1], [3, 2]]
    for a, b in zip(
        lexical_vectors(sources, targets, 4, 4, 3),
        lexical_vectors(tf.ragged.constant(sources), tf.ragged.constant(targets), 4, 4, 3),
    ):
        np.testing.assert_array_equal(a, b)


def test_no_pairs_give_zeros():
    source, target = lexical_vectors([], [], 4, 5, 3)
    assert source.shape == (4, 3)
    assert target.shape == (5, 3)
    assert not source.any()


def test_decomposition_equals_numpys():
    dense = np.random.default_rng(0).random((12, 9)).astype("float32")
    left, right = _decompose(tf.sparse.from_dense(dense), 4, seed=0)
    u, s, v = np.linalg.svd(dense, full_matrices=False)
    np.testing.assert_allclose(left @ right.T, (u[:, :4] * s[:4]) @ v[:4], atol=1e-4)


def test_errors_say_what_was_expected():
    with pytest.raises(ValueError, match="2 sources and 1 targets"):
        lexical_vectors([[1], [2]], [[1]], 3, 3, 2)
    with pytest.raises(ValueError, match="target ids from 0 to 2"):
        lexical_vectors([[1]], [[3]], 3, 3, 2)
    with pytest.raises(ValueError, match="`width` must be from 1 to the smaller vocabulary's 3"):
        lexical_vectors([[1]], [[1]], 3, 5, 4)
