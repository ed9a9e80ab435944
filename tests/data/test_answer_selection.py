"""The pipeline: shapes, labels, and that a right answer never counts as wrong."""

import numpy
import pytest
import tensorflow as tf

from keras_attention.data.answer_selection import (
    answer_selection_dataset,
    answer_selection_pools,
    answer_selection_steps,
)
from keras_attention.data.answer_selection_data import AnswerSelectionData
from keras_attention.data.encoded_answer_selection import (
    EncodedAnswerSelection,
    encode_answer_selection,
    encode_texts,
)


class LetterTokenizer:
    """One token per letter, a = 1."""

    def tokenize(self, texts):
        texts = [text.decode() for text in texts]
        return tf.ragged.constant([[ord(c) - 96 for c in text] for text in texts], dtype=tf.int32, ragged_rank=1)


# "ab" stands three times: at 0, 3 and 7. Right for the first question through 0 alone.
ANSWERS = ["ab", "c", "de", "ab", "fgh", "i", "jklm", "ab", "n", "op"]
DATA = AnswerSelectionData(
    questions=["q", "rs", "t", "u", "vw", "x"],
    answers=ANSWERS,
    gold=[[0, 1], [2], [3], [4, 5], [6], []],
    pools=[[3, 2, 4], [2, 5, 6], [8, 9], [4, 5, 7, 0], [6], [1]],
)
RIGHT_TEXTS = {"q": {"ab", "c"}, "rs": {"de"}, "t": {"ab"}, "u": {"fgh", "i"}, "vw": {"jklm"}}


def encoded(answer_length=9):
    return encode_answer_selection(DATA, LetterTokenizer(), question_length=5, answer_length=answer_length)


def text(ids):
    return "".join(chr(96 + i) for i in ids if i)


def epochs(count=30, **arguments):
    for inputs, labels in answer_selection_dataset(encoded(), epochs=count, **arguments):
        yield inputs["question_ids"].numpy(), inputs["answer_ids"].numpy(), labels.numpy()


def test_texts_are_padded_and_cut():
    ids = encode_texts(["abc", "", "a"], LetterTokenizer(), 2)
    assert ids.tolist() == [[1, 2], [0, 0], [1, 0]]
    assert ids.dtype == "int32"
    assert encode_texts(["abc", "a"], LetterTokenizer(), 10).shape == (2, 3)


@pytest.mark.parametrize("negatives", ["sampled", "in_batch"])
def test_what_is_right_for_a_question_once_is_never_wrong_for_it(negatives):
    """The same question twice, with another right answer each time, as some sets have it."""
    data = AnswerSelectionData(["q", "q", "r"], ["a", "b", "c"], [[0], [1], [2]], [[0, 1, 2]] * 3)
    both = encode_answer_selection(data, LetterTokenizer(), question_length=3, answer_length=3)
    options = {"negative_count": 1, "pool_count": 1} if negatives == "sampled" else {"batch_size": 3}
    for inputs, labels in answer_selection_dataset(both, negatives=negatives, epochs=20, **options):
        answers = inputs["answer_ids"].numpy()
        for question, row, marks in zip(inputs["question_ids"].numpy(), range(len(labels)), labels.numpy()):
            listed = answers[row] if negatives == "sampled" else answers
            wrong = {text(ids) for ids, mark in zip(listed, marks) if mark == 0}
            assert wrong
            assert wrong == {"c"} if text(question) == "q" else wrong <= {"a", "b"}


@pytest.mark.parametrize("pool_count", [0, 2])
@pytest.mark.parametrize("right_answers", ["one", "all"])
def test_sampled_lists(pool_count, right_answers):
    wrong_seen = {question: set() for question in RIGHT_TEXTS}
    questions_seen = 0
    arguments = {"negative_count": 4, "pool_count": pool_count, "right_answers": right_answers, "batch_size": 2}
    for question_ids, answer_ids, labels in epochs(**arguments):
        assert labels.tolist() == [[1.0, 0.0, 0.0, 0.0, 0.0]] * len(question_ids)
        questions_seen += len(question_ids)
        for question, answers in zip(question_ids, answer_ids):
            right, *wrong = map(text, answers)
            assert right in RIGHT_TEXTS[text(question)]
            assert not set(wrong) & RIGHT_TEXTS[text(question)]
            assert len(set(wrong)) == 4
            wrong_seen[text(question)] |= set(wrong)
            if pool_count and text(question) == "u":
                assert "ab" in wrong  # The only wrong text of its pool, listed twice there.
    assert questions_seen == 30 * (5 if right_answers == "one" else 7)
    for question, seen in wrong_seen.items():
        assert seen == set(ANSWERS) - RIGHT_TEXTS[question]


def test_both_right_answers_come_up():
    seen = {text(a[0]) for q, answers, _ in epochs(negative_count=1) for a, q in zip(answers, q) if text(q) == "u"}
    assert seen == {"fgh", "i"}


@pytest.mark.parametrize("pool_count", [0, 1])
def test_in_batch_labels_leave_out_other_right_answers(pool_count):
    left_out = 0
    for question_ids, answer_ids, labels in epochs(
        negatives="in_batch", batch_size=3, pool_count=pool_count, right_answers="all"
    ):
        batch = len(question_ids)
        assert answer_ids.shape[0] == batch * (1 + pool_count)
        assert labels.shape == (batch, batch * (1 + pool_count))
        for row, question in enumerate(question_ids):
            for column, answer in enumerate(answer_ids):
                is_right = text(answer) in RIGHT_TEXTS[text(question)]
                assert labels[row, column] == (1.0 if row == column else -1.0 if is_right else 0.0)
                assert is_right or row != column
                left_out += row != column and is_right
    assert left_out > 0


def test_an_epoch_is_a_function_of_seed_and_epoch():
    def run(**arguments):
        return list(epochs(negative_count=3, batch_size=2, **arguments))

    def same(first, second):
        return len(first) == len(second) and all(
            a.shape == b.shape and (a == b).all() for x, y in zip(first, second) for a, b in zip(x, y)
        )

    three = run(count=3, seed=5)
    assert same(three, run(count=3, seed=5))
    assert same(three[6:], run(count=1, seed=5, first_epoch=2))
    assert not same(three[:3], three[3:6])
    assert not same(three[:3], run(count=1, seed=6))


def test_widths_are_the_smallest_that_hold_the_batch():
    for _, answer_ids, _ in epochs(negatives="in_batch", batch_size=2, answer_lengths=(1, 3)):
        longest = max(len(text(answer)) for answer in answer_ids)
        assert answer_ids.shape[1] == next(width for width in (1, 3, 4) if width >= longest)


def test_batches_of_even_length():
    widths = []
    for _, answer_ids, _ in epochs(negatives="in_batch", batch_size=2, length_window=3, drop_remainder=True):
        widths.append([len(text(answer)) for answer in answer_ids])
    # Of the sorted lengths of an epoch, (1 or 2, 2), (2, 3 or 1) and 4: a batch never holds the two extremes.
    assert all(max(pair) - min(pair) <= 2 for pair in widths)


def test_steps_and_cardinality():
    for arguments, steps in [
        ({"batch_size": 2}, 3),
        ({"batch_size": 2, "drop_remainder": True}, 2),
        ({"batch_size": 3, "right_answers": "all"}, 3),
    ]:
        assert answer_selection_steps(encoded(), **arguments) == steps
        dataset = answer_selection_dataset(encoded(), negative_count=2, epochs=2, **arguments)
        assert int(dataset.cardinality()) == 2 * steps == len(list(dataset))
    endless = answer_selection_dataset(encoded(), negative_count=2)
    assert int(endless.cardinality()) == tf.data.INFINITE_CARDINALITY
    assert len(list(endless.take(5))) == 5


def test_static_shapes_when_nothing_varies():
    dataset = answer_selection_dataset(encoded(), negative_count=2, batch_size=2, drop_remainder=True)
    inputs, labels = dataset.element_spec
    assert inputs["answer_ids"].shape == (2, 3, 4)
    assert inputs["question_ids"].shape == (2, 2)
    assert labels.shape == (2, 3)


@pytest.mark.parametrize("candidate_multiple", [None, 2])
def test_pools_come_in_order_with_padding(candidate_multiple):
    batches = list(answer_selection_pools(encoded(), batch_size=4, candidate_multiple=candidate_multiple))
    rows = [row for inputs, labels in batches for row in zip(*(x.numpy() for x in (*inputs.values(), labels)))]
    assert [text(question) for question, _, _ in rows] == list(DATA.questions)
    for (_, answers, labels), pool, right in zip(rows, DATA.pools, DATA.pool_labels()):
        assert [text(answer) for answer in answers] == [ANSWERS[i] for i in pool] + [""] * (len(answers) - len(pool))
        assert labels.tolist() == right.tolist() + [-1.0] * (len(labels) - len(pool))
    widths = [inputs["answer_ids"].shape[1] for inputs, _ in batches]
    assert widths == ([4, 4] if candidate_multiple is None else [4, 2])


def test_the_encoding_of_a_split_shares_the_answers():
    rest, held_out = DATA.split(2, seed=0)
    part = encoded().with_data(held_out)
    assert [text(row) for row in part.question_ids] == list(held_out.questions)
    assert part.answer_ids.shape[0] == len(ANSWERS)
    with pytest.raises(ValueError, match=r"encoded here. Received: \['new'\]"):
        encoded().with_data(AnswerSelectionData(["new"], ANSWERS, [[0]]))
    with pytest.raises(ValueError, match="one row per text"):
        EncodedAnswerSelection(rest, numpy.zeros((1, 2), "int32"), numpy.zeros((10, 2), "int32"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"negatives": "hard"}, "negatives='hard'"),
        ({"negative_count": 8}, r"question 0 has 6. Received: 8"),
        ({"negative_count": 0}, "negative_count=0"),
        ({"pool_count": 51}, "pool_count=51"),
        ({"negatives": "in_batch", "batch_size": 1}, "batch_size=1"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"answer_lengths": (4, 2)}, r"answer_lengths=\(4, 2\)"),
        ({"right_answers": "best"}, "right_answers='best'"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        answer_selection_dataset(encoded(), epochs=1, **arguments)


def test_pools_must_be_there():
    data = AnswerSelectionData(["q"], ["a", "b"], [[0]])
    bare = encode_answer_selection(data, LetterTokenizer(), question_length=2, answer_length=2)
    with pytest.raises(ValueError, match="pools=None"):
        answer_selection_dataset(bare, pool_count=1)
    with pytest.raises(ValueError, match="no pools"):
        answer_selection_pools(bare)
