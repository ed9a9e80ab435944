"""The three metrics that watch a triplet loss."""

import numpy as np
import pytest

from keras_attention.losses import TripletMarginLoss
from keras_attention.metrics import ActiveTripletFraction, MeanHardestWrongSimilarity, MeanRightSimilarity

LABELS = np.array([[1, 1, 0, 0], [1, 0, -1, -1], [1, 1, 1, 1], [0, 0, 0, 0], [-1, -1, -1, -1]])
SIMILARITIES = np.array(
    [[0.5, 0.1, 0.3, -0.9], [0.8, 0.2, 9.0, 9.0], [0.6, 0.6, 0.6, 0.6], [0.1, 0.4, 0.2, 0.3], [7.0, 7.0, 7.0, 7.0]]
)


def result(metric, **kwargs):
    """In two batches, so that the mean is over questions and not over batches."""
    metric.update_state(LABELS[:1], SIMILARITIES[:1], **{k: v[:1] for k, v in kwargs.items()})
    metric.update_state(LABELS[1:], SIMILARITIES[1:], **{k: v[1:] for k, v in kwargs.items()})
    return float(metric.result())


def test_right_similarity_by_hand():
    assert result(MeanRightSimilarity()) == pytest.approx((0.3 + 0.8 + 0.6) / 3)


def test_hardest_wrong_similarity_by_hand():
    assert result(MeanHardestWrongSimilarity()) == pytest.approx((0.3 + 0.2 + 0.4) / 3)


def test_active_triplets_by_hand():
    """Margin .25. Hardest pairs: .5/.3 active, .1/.3 active, .8/.2 not. All: .5/-.9 and .1/-.9 not, as well."""
    assert result(ActiveTripletFraction(0.25)) == pytest.approx(2 / 3)
    assert result(ActiveTripletFraction(0.25, "all")) == pytest.approx(2 / 5)


def test_sample_weight():
    weights = np.array([1.0, 0.0, 0.0, 0.0, 0.0])
    assert result(MeanRightSimilarity(), sample_weight=weights) == pytest.approx(0.3)
    assert result(MeanHardestWrongSimilarity(), sample_weight=weights) == pytest.approx(0.3)
    assert result(ActiveTripletFraction(0.25), sample_weight=weights) == pytest.approx(1.0)


def test_active_fraction_is_zero_just_where_the_loss_is():
    loss, metric = TripletMarginLoss(0.25), ActiveTripletFraction(0.25)
    metric.update_state(LABELS[1:2], SIMILARITIES[1:2])
    assert float(metric.result()) == 0.0 == float(loss(LABELS[1:2], SIMILARITIES[1:2]))


def test_nothing_seen():
    for metric in (MeanRightSimilarity(), MeanHardestWrongSimilarity(), ActiveTripletFraction()):
        assert float(metric.result()) == 0.0
    with pytest.raises(ValueError, match="mining='easy'"):
        ActiveTripletFraction(mining="easy")
