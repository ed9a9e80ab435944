"""The common structure: checks, protocols, splits and drawn pools."""

import numpy
import pytest

from keras_attention.data.answer_selection_data import AnswerSelectionData


def small():
    return AnswerSelectionData(
        questions=["a ?", "b ?", "A  ?", "c ?"],
        answers=["0", "1", "2", "3"],
        gold=[[0], [1, 2], [3], []],
        pools=[[2, 0], [1, 2], [0, 1], [3]],
    )


def test_labels_of_the_pools():
    candidates, labels = small().pool_matrix()
    numpy.testing.assert_array_equal(candidates, [[2, 0], [1, 2], [0, 1], [3, -1]])
    numpy.testing.assert_array_equal(labels, [[0, 1], [1, 1], [0, 0], [0, -1]])


def test_protocols():
    assert small().with_right_answer().questions == ("a ?", "b ?")
    assert small().with_right_and_wrong_answers().questions == ("a ?",)
    assert small().with_right_answer().answers == small().answers


def test_two_sets_are_joined():
    both = small().join(small())
    assert both.questions == small().questions * 2
    assert both.answers == small().answers * 2
    assert [ids.tolist() for ids in both.gold] == [[0], [1, 2], [3], [], [4], [5, 6], [7], []]
    assert [ids.tolist() for ids in both.pools][4:] == [[6, 4], [5, 6], [4, 5], [7]]
    without = AnswerSelectionData(["d ?"], ["4"], [[0]])
    assert small().join(without).pools is None
    assert without.join(small()).gold[1].tolist() == [1]


def test_ids_outside_the_collection_are_refused():
    with pytest.raises(ValueError, match=r"pools must hold ids from 0 to 1. Received: \[2\] at question 0"):
        AnswerSelectionData(["q"], ["x", "y"], [[0]], [[2]])
    with pytest.raises(ValueError, match=r"gold must hold ids from 0 to 1. Received: \[-1\]"):
        AnswerSelectionData(["q"], ["x", "y"], [[-1]])
    with pytest.raises(ValueError, match="1 lists for 2 questions"):
        AnswerSelectionData(["q", "p"], ["x", "y"], [[1]])
    with pytest.raises(ValueError, match="no pools"):
        AnswerSelectionData(["q"], ["x"], [[0]]).pool_labels()


def test_split_is_seeded_and_keeps_equal_questions_together():
    data = AnswerSelectionData([f"q{i % 10}" for i in range(30)], ["x"], [[0]] * 30)
    rest, held_out = data.split(0.3, seed=1)
    assert len(held_out.questions) == 9
    assert not set(rest.questions) & set(held_out.questions)
    assert sorted(rest.questions + held_out.questions) == sorted(data.questions)
    assert data.split(0.3, seed=1)[1].questions == held_out.questions
    assert {data.split(3, seed=s)[1].questions for s in range(5)} != {held_out.questions}
    for seed in range(6):
        part = small().split(1, seed=seed)[1].questions
        assert ("a ?" in part) == ("A  ?" in part)
    with pytest.raises(ValueError, match="both sides of 3"):
        small().split(3)


def test_drawn_pools_hold_every_right_answer_once():
    data = AnswerSelectionData(["q"] * 50, [str(i) for i in range(40)], [[i % 40, 7] for i in range(50)])
    drawn = data.with_random_pools(10, seed=3)
    for pool, gold in zip(drawn.pools, drawn.gold):
        assert len(pool) == 10
        assert len(set(pool)) == 10
        assert set(gold) <= set(pool)
    again = data.with_random_pools(10, seed=3)
    numpy.testing.assert_array_equal(drawn.pools, again.pools)
    places = [int(numpy.flatnonzero(pool == gold[0])[0]) for pool, gold in zip(drawn.pools, drawn.gold)]
    assert len(set(places)) > 5  # The right answer's place in the list gives nothing away.
    whole = data.with_random_pools(40)
    assert all(sorted(pool) == list(range(40)) for pool in whole.pools)
    with pytest.raises(ValueError, match="size=41"):
        data.with_random_pools(41)
