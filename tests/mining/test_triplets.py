import numpy as np
import pytest
from keras import ops

from keras_attention.mining import triplets


def chosen(similarities, labels, margin, mining):
    _, is_triplet = triplets.violations(ops.convert_to_tensor(similarities), ops.convert_to_tensor(labels), margin)
    picked = triplets.choose(ops.convert_to_tensor(similarities), is_triplet, margin, mining)
    return {tuple(int(i) for i in index) for index in np.argwhere(ops.convert_to_numpy(picked))}


# Right answers 0 (similarity .5) and 1 (.1); wrong ones 2 (.6), 3 (.4), 4 (.05); 5 is padding with the best score.
SIMILARITIES = np.array([[0.5, 0.1, 0.6, 0.4, 0.05, 0.9]], "float32")
LABELS = np.array([[1, 1, 0, 0, 0, -1]])


@pytest.mark.parametrize(
    ("mining", "expected"),
    [
        ("all", {(0, 0, 2), (0, 0, 3), (0, 0, 4), (0, 1, 2), (0, 1, 3), (0, 1, 4)}),
        ("hardest", {(0, 0, 2), (0, 1, 2)}),
        # Below .5 but less than .2 below: .4. Below .1 but less than .2 below: .05.
        ("semi_hard", {(0, 0, 3), (0, 1, 4)}),
    ],
)
def test_choice_by_hand(mining, expected):
    assert chosen(SIMILARITIES, LABELS, 0.2, mining) == expected


def test_semi_hard_falls_back_to_the_hardest():
    assert chosen(np.array([[0.1, 0.8, 0.9]], "float32"), np.array([[1, 0, 0]]), 0.2, "semi_hard") == {(0, 0, 2)}


def test_no_triplet_where_a_side_is_missing():
    similarities = np.zeros((3, 2), "float32")
    labels = np.array([[1, 1], [0, 0], [-1, -1]])
    for mining in triplets.MINING:
        assert chosen(similarities, labels, 0.2, mining) == set()


def test_violations_by_hand():
    violation, is_triplet = triplets.violations(ops.convert_to_tensor(SIMILARITIES), ops.convert_to_tensor(LABELS), 0.2)
    expected = np.zeros((6, 6))
    expected[0, 2:5] = [0.3, 0.1, 0]
    expected[1, 2:5] = [0.7, 0.5, 0.15]
    np.testing.assert_allclose(ops.convert_to_numpy(violation)[0], expected, atol=1e-6)
    assert int(ops.sum(ops.cast(is_triplet, "int32"))) == 6


def test_hardest_wrong():
    labels = np.array([[1, 0, 0, -1], [1, 1, -1, -1]])
    value, exists = triplets.hardest_wrong(ops.convert_to_tensor([[0.9, -0.5, -0.2, 1.0]] * 2), labels)
    np.testing.assert_allclose(ops.convert_to_numpy(value), [-0.2, 0.0], atol=1e-6)
    assert ops.convert_to_numpy(exists).tolist() == [True, False]


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r"y_pred of shape \(2, 4\)"):
        triplets.as_lists(np.zeros((2, 3)), np.zeros((2, 4)))
    with pytest.raises(ValueError, match="batch, candidates"):
        triplets.as_lists(np.zeros(3), np.zeros(3))
