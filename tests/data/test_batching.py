import functools
import itertools

import numpy as np
import pytest

from keras_attention.data.batching import BatchPlan, assign_buckets, choose_bucket_shapes


def sentence_lengths(count=3000, seed=3):
    """Lengths as in a parallel corpus: log-normal, the two sides alike."""
    random = np.random.default_rng(seed)
    source = np.exp(random.normal(2.6, 0.35, count))
    target = source * np.exp(random.normal(0, 0.15, count))
    return np.maximum(1, np.rint(np.stack([source, target], axis=1))).astype(int)


def padding(lengths, shapes):
    """The slow way: every row in the cheapest shape that holds it."""
    cells = 0
    for row in lengths:
        cells += min(sum(shape) for shape in shapes if all(r <= s for r, s in zip(row, shape)))
    return 1 - lengths.sum() / cells


def test_assigns_the_cheapest_shape_that_holds_the_row():
    lengths = [[1, 1], [2, 2], [3, 1], [1, 4], [4, 4]]
    shapes = [[2, 2], [4, 1], [4, 4], [1, 4]]
    assert assign_buckets(lengths, shapes).tolist() == [0, 0, 1, 3, 2]
    with pytest.raises(ValueError, match=r"lengths \[5, 1\]"):
        assign_buckets([[1, 1], [5, 1]], shapes)


def test_chosen_shapes_are_the_best_there_are_on_a_small_case():
    lengths = np.array([[1, 1]] * 5 + [[2, 2]] * 9 + [[4, 3]] * 4 + [[5, 5]] * 2 + [[2, 5]] * 3)
    candidates = list(itertools.product(range(1, 6), range(1, 6)))
    for count in (1, 2, 3):
        chosen = choose_bucket_shapes(lengths, count)
        least = min(padding(lengths, [(5, 5), *others]) for others in itertools.combinations(candidates, count - 1))
        assert padding(lengths, chosen.tolist()) == pytest.approx(least)


def test_one_side_is_solved_as_well_as_by_dynamic_programming():
    lengths = sentence_lengths()[:, :1]
    values, counts = np.unique(lengths, return_counts=True)

    @functools.cache
    def least(end, buckets):
        """Fewest cells for the ``end`` shortest lengths."""
        if end == 0:
            return 0
        if buckets == 0:
            return np.inf
        return min(least(start, buckets - 1) + values[end - 1] * counts[start:end].sum() for start in range(end))

    chosen = choose_bucket_shapes(lengths, 6)
    best = 1 - lengths.sum() / least(len(values), 6)
    assert best <= padding(lengths, chosen.tolist()) + 1e-12
    assert padding(lengths, chosen.tolist()) < best + 0.005


def test_fourteen_shapes_keep_the_padding_of_sentences_below_a_tenth():
    lengths = sentence_lengths(20000)
    shapes = choose_bucket_shapes(lengths, 14)
    assert len(shapes) <= 14
    assert (shapes[-1] == lengths.max(axis=0)).all()
    plan = BatchPlan(lengths, shapes, batch_size=64)
    assert plan.padding_fraction < 0.1
    assert (choose_bucket_shapes(lengths, 14) == shapes).all()


def test_long_tails_are_chosen_for_in_little_time_and_room():
    lengths = np.minimum(sentence_lengths(5000) ** 2, 5000)
    shapes = choose_bucket_shapes(lengths, 8)
    assert (shapes.max(axis=0) == lengths.max(axis=0)).all()
    assert padding(lengths, shapes.tolist()) < 0.35


def test_more_shapes_than_lengths():
    assert choose_bucket_shapes([[2, 3], [2, 3]], 10).tolist() == [[2, 3]]
    assert choose_bucket_shapes([[2, 3], [1, 1]], 10).tolist() == [[1, 1], [2, 3]]


@pytest.mark.parametrize("sizes", [{"batch_size": 8}, {"batch_tokens": 100}])
def test_a_plan_holds_every_row_once_in_a_bucket_that_fits(sizes):
    lengths = sentence_lengths(500)
    plan = BatchPlan(lengths, choose_bucket_shapes(lengths, 5), **sizes)
    assert sorted(np.concatenate(plan.bucket_rows).tolist()) == list(range(500))
    for shape, rows, size, count in zip(plan.shapes, plan.bucket_rows, plan.batch_sizes, plan.batch_counts):
        assert (lengths[rows] <= shape).all()
        assert 0 < len(rows) <= size * count < len(rows) + size
        assert size == sizes.get("batch_size", 100 // shape.max())
    assert plan.steps == plan.batch_counts.sum()
    cells = sum(c * b * s.sum() for c, b, s in zip(plan.batch_counts, plan.batch_sizes, plan.shapes))
    assert plan.padding_fraction == pytest.approx(1 - lengths.sum() / cells)


def test_rows_that_fill_no_batch_move_up_where_that_is_cheaper():
    # The third row of 1 costs 1 more in the larger bucket, as much as the copy that would fill up a batch of its own;
    # then it moves, since it saves the larger bucket a copy.
    plan = BatchPlan([[1], [1], [1], [2]], [[1], [2]], batch_size=2)
    assert [len(rows) for rows in plan.bucket_rows] == [2, 2]
    assert plan.steps == 2
    # One row is missing of four: a copy (1 more) is cheaper than moving three (3 more).
    plan = BatchPlan([[1]] * 3 + [[2]] * 4, [[1], [2]], batch_size=4)
    assert [len(rows) for rows in plan.bucket_rows] == [3, 4]


def test_batch_by_tokens_takes_at_least_one_row():
    plan = BatchPlan([[3, 9], [2, 2]], [[2, 2], [3, 9]], batch_tokens=4)
    assert plan.batch_sizes.tolist() == [2, 1] or plan.batch_sizes.tolist() == [1]
    assert BatchPlan([[3, 9]], [[3, 9]], batch_tokens=4).batch_sizes.tolist() == [1]


def test_errors():
    with pytest.raises(ValueError, match="batch_size=None, batch_tokens=None"):
        BatchPlan([[1]], [[1]])
    with pytest.raises(ValueError, match="batch_size=2, batch_tokens=2"):
        BatchPlan([[1]], [[1]], 2, 2)
    with pytest.raises(ValueError, match="batch_size=0"):
        BatchPlan([[1]], [[1]], 0)
    with pytest.raises(ValueError, match=r"shapes=\[\[1\]\]"):
        BatchPlan([[1, 1]], [[1]], 2)
    with pytest.raises(ValueError, match="count=0"):
        choose_bucket_shapes([[1]], 0)
    with pytest.raises(ValueError, match="at least one row"):
        choose_bucket_shapes(np.zeros((0, 2)), 3)
    with pytest.raises(ValueError, match="lengths of at least 1"):
        choose_bucket_shapes([[0, 1]], 3)
