"""Where the questions and answers of a run come from: your files, the embedded corpus, or a public set."""

import dataclasses

from keras_attention.data import (
    AnswerSelectionData,
    read_answer_selection_jsonl,
    read_answer_selection_tsv,
    read_insurance_qa_v2,
    read_med_quad,
    read_trec_qa,
    read_wiki_qa,
)

READERS = {
    "tsv": read_answer_selection_tsv,
    "jsonl": read_answer_selection_jsonl,
    "wikiqa": read_wiki_qa,
    "trecqa": read_trec_qa,
}
HELD_OUT = 0.1  # share of the training questions that validates, where no validation file is given
POOL_SIZE = 100  # candidates per question where a set comes without pools


@dataclasses.dataclass(frozen=True)
class Corpora:
    """Training, validation and, where there is one, test part; validation and test have pools."""

    train: AnswerSelectionData
    validation: AnswerSelectionData
    test: AnswerSelectionData | None = None


def read_data(path, form="tsv"):
    """Read one file in one of the forms of `READERS`, for evaluation: with pools.

    Raises:
        ValueError: If the form is not known, or the file is not as it should be.
    """
    if form not in READERS:
        raise ValueError(f"Expected --format to be one of {', '.join(READERS)}. Received: format={form!r}")
    return _with_pools(READERS[form](path))


def open_corpora(train=None, validation=None, test=None, form="tsv", medquad=False, insuranceqa_v2=None):
    """Read what the command line names: exactly one of files of your own, MedQuAD, or InsuranceQA's folder.

    Without a validation file a tenth of the training questions is held out, the same ones every time. Where a set comes
    without pools they are drawn: the right answers and random others, 100 in all.

    Raises:
        ValueError: If not exactly one corpus is named, or a file is not as it should be.
    """
    named = [name for name, value in (("--train", train), ("--insuranceqa-v2", insuranceqa_v2)) if value]
    named += ["--medquad"] if medquad else []
    if len(named) != 1:
        raise ValueError(
            f"Expected one corpus: --train, --medquad or --insuranceqa-v2. Received: {' and '.join(named) or 'none'}"
        )
    if not train and (validation or test):
        raise ValueError(f"--validation and --test go with --train. Received: validation={validation}, test={test}")
    if medquad:
        return Corpora(*(read_med_quad(part) for part in ("train", "validation", "test")))
    if insuranceqa_v2:
        rest, held_out = read_insurance_qa_v2(insuranceqa_v2, "train").split(HELD_OUT)
        return Corpora(rest, _with_pools(held_out), _with_pools(read_insurance_qa_v2(insuranceqa_v2, "test")))
    if form not in READERS:
        raise ValueError(f"Expected --format to be one of {', '.join(READERS)}. Received: format={form!r}")
    rest = READERS[form](train)
    if validation:
        held_out = read_data(validation, form)
    else:
        rest, held_out = rest.split(HELD_OUT)
        held_out = _with_pools(held_out)
    return Corpora(rest, held_out, read_data(test, form) if test else None)


def _with_pools(data):
    return data.with_random_pools(min(POOL_SIZE, len(data.answers))) if data.pools is None else data
