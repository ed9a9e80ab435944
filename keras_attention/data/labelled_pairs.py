"""From lines of (question, candidate, label) to the common structure."""

from keras_attention.data.answer_selection_data import AnswerSelectionData


def group_labelled_pairs(triples):
    """Gather labelled candidates, question by question.

    Neighbouring entries with the same key are one question. Each line's candidate is an answer of its own, even where
    two lines read the same.

    Args:
        triples: iterable of ``(key, question, answer, label)``; the key tells questions apart.

    Returns:
        ``AnswerSelectionData`` with one pool per question, candidates in their order.
    """
    questions, answers, gold, pools = [], [], [], []
    last = object()
    for key, question, answer, label in triples:
        if key != last:
            questions.append(question)
            gold.append([])
            pools.append([])
            last = key
        if label:
            gold[-1].append(len(answers))
        pools[-1].append(len(answers))
        answers.append(answer)
    return AnswerSelectionData(questions, answers, gold, pools)
