"""Where the questions and answers of a run come from: your files, the embedded corpus, or a public set."""

import dataclasses
import functools
from pathlib import Path

from keras_attention.data import (
    AnswerSelectionData,
    read_answer_selection_jsonl,
    read_answer_selection_tsv,
    read_insurance_qa_v1,
    read_insurance_qa_v2,
    read_med_quad,
    read_trec_qa,
    read_wiki_qa,
)
from keras_attention.data.text_lines import numbered_lines

READERS = {
    "tsv": read_answer_selection_tsv,
    "jsonl": read_answer_selection_jsonl,
    "wikiqa": read_wiki_qa,
    "trecqa": read_trec_qa,
}
HELD_OUT = 0.1  # share of the training questions that validates, where no validation file is given
POOL_SIZE = 100  # candidates per question where a set of your own comes without pools
INSURANCE_QA_HELD_OUT = 500  # training questions that validate; with pools as large as those of the report
INSURANCE_QA_POOL_SIZE = 500


@dataclasses.dataclass(frozen=True)
class Corpora:
    """What a run trains on, what chooses its best epoch, and what is reported.

    Attributes:
        train: `AnswerSelectionData` to train on.
        validation: `AnswerSelectionData` with pools, held out of training and not among the reported parts.
        reported: Dict from a name to `AnswerSelectionData` with pools. Empty: there is nothing but the validation part.
        like_reported: Dict from the name of a reported part whose candidates are of another kind than those of
            `validation` to the validation questions with candidates of its kind.
    """

    train: AnswerSelectionData
    validation: AnswerSelectionData
    reported: dict = dataclasses.field(default_factory=dict)
    like_reported: dict = dataclasses.field(default_factory=dict)

    @property
    def test(self):
        """The reported part where there is one only, else None."""
        return next(iter(self.reported.values())) if len(self.reported) == 1 else None


def read_data(path, form="tsv"):
    """Read one file in one of the forms of `READERS`, for evaluation: with pools.

    Raises:
        ValueError: If the form is not known, or the file is not as it should be.
    """
    if form not in READERS:
        raise ValueError(f"Expected --format to be one of {', '.join(READERS)}. Received: format={form!r}")
    return with_pools(READERS[form](path))


def read_answers(path):
    """Read answers, one a line; empty lines are passed over.

    Raises:
        ValueError: If the file is missing, is not UTF-8, or holds no answer.
    """
    answers = [line.strip() for _, line in numbered_lines(path) if line.strip()]
    if not answers:
        raise ValueError(f"{path}: expected answers, one a line. Received: none")
    return answers


def open_corpora(
    train=None,
    validation=None,
    test=None,
    form="tsv",
    medquad=False,
    insuranceqa_v1=None,
    insuranceqa_v2=None,
    trecqa=None,
    wikiqa=None,
):
    """Read what the command line names: files of your own, MedQuAD, or the folder of a public set, or of several.

    Of several sets the training parts are put together, and the validation parts; what is reported stays apart, and
    whatever is chosen for one of it, such as BM25's weight, is chosen on the validation part of its own set.
    Without a validation file a tenth of the training questions is held out, the same ones every time. Where your set
    comes without pools they are drawn: the right answers and random others, 100 in all.

    Raises:
        ValueError: If no corpus is named, or others than public sets together, or a file is not as it should be.
    """
    folders = {
        "--insuranceqa-v1": (insuranceqa_v1, open_insurance_qa_v1),
        "--insuranceqa-v2": (insuranceqa_v2, open_insurance_qa_v2),
        "--trecqa": (trecqa, open_trec_qa),
        "--wikiqa": (wikiqa, open_wiki_qa),
    }
    named = {"--train": train, "--medquad": medquad, **{name: folder for name, (folder, _) in folders.items()}}
    given = [name for name, value in named.items() if value]
    if not given or (len(given) > 1 and not set(given) <= set(folders)):
        raise ValueError(
            f"Expected one corpus: {', '.join(named)}; or several of the last {len(folders)}. "
            f"Received: {' and '.join(given) or 'none'}"
        )
    if not train and (validation or test):
        raise ValueError(f"--validation and --test go with --train. Received: validation={validation}, test={test}")
    if given[0] in folders:
        return functools.reduce(_join, [open_folder(folder) for folder, open_folder in map(folders.get, given)])
    if medquad:
        return Corpora(read_med_quad("train"), read_med_quad("validation"), {"MedQuAD test": read_med_quad("test")})
    if form not in READERS:
        raise ValueError(f"Expected --format to be one of {', '.join(READERS)}. Received: format={form!r}")
    rest = READERS[form](train)
    if validation:
        held_out = read_data(validation, form)
    else:
        rest, held_out = rest.split(HELD_OUT)
        held_out = with_pools(held_out)
    return Corpora(rest, held_out, {"The test part": read_data(test, form)} if test else {})


def open_insurance_qa_v1(folder):
    """Open InsuranceQA v1: its pools of 500, of whichever of dev, test1 and test2 the folder holds.

    500 training questions are held out, with pools of 500 drawn as the publisher's are.
    """
    folder = Path(folder)
    parts = [part for part in ("dev", "test1", "test2") if _is_there(folder, f"question.{part}.label.token_idx.pool")]
    rest, held_out = _split(read_insurance_qa_v1(folder, "train"))
    reported = {f"InsuranceQA v1 {part}": read_insurance_qa_v1(folder, part) for part in parts}
    return Corpora(rest, _with_random_pools(held_out), reported)


def open_insurance_qa_v2(folder):
    """Open InsuranceQA v2 in both of its protocols, for whichever of valid and test the folder holds.

    random-500: all questions, the right answers and random others; the pools of `random500.<part>.tsv` if that file
    is in the folder (question number, right ids, pool ids), or else drawn. SOLR-500: the publisher's pools, and only
    the questions whose pool holds a right answer. 500 training questions are held out, with random pools of 500; beside
    SOLR-500 stand those of them whose publisher's pool holds a right answer, with that pool, of 100.
    """
    folder = Path(folder)
    # The publisher's train pools have many sizes; the smallest is enough to take hard wrong answers from.
    rest, held_out = _split(read_insurance_qa_v2(folder, "train", pool_size=100))
    reported, like_reported = {}, {}
    for part in ("valid", "test"):
        if _is_there(folder, f"InsuranceQA.question.anslabel.raw.500.pool.solr.{part}.encoded"):
            data = read_insurance_qa_v2(folder, part, pool_size=500)
            if _is_there(folder, f"random500.{part}.tsv"):
                random = read_insurance_qa_v2(folder, part, pool_size=500, pools_path=folder / f"random500.{part}.tsv")
            else:
                random = data.with_random_pools(min(INSURANCE_QA_POOL_SIZE, len(data.answers)))
            reported[f"InsuranceQA v2 {part}, random-500"] = random
            reported[f"InsuranceQA v2 {part}, SOLR-500"] = data.with_right_answer()
            like_reported[f"InsuranceQA v2 {part}, SOLR-500"] = held_out.with_right_answer()
    return Corpora(rest, _with_random_pools(held_out), reported, like_reported)


def open_trec_qa(folder):
    """Open TREC-QA: trained on train-all, validated on dev, reported on test, both clean.

    Clean: the questions that have a right and a wrong sentence. Each file is `<part>.tsv` or `<part>.xml`.
    """
    train, dev, test = (read_trec_qa(_one_of(folder, part, ("tsv", "xml"))) for part in ("train-all", "dev", "test"))
    clean = test.with_right_and_wrong_answers()
    return Corpora(train, dev.with_right_and_wrong_answers(), {"TREC-QA test, clean": clean})


def open_wiki_qa(folder):
    """Open WikiQA: a tenth of the training questions validates, dev and test, if there, are reported.

    Of all but the training part only the questions with a correct sentence. Files `WikiQA-<part>.txt` or `.tsv`, all in
    the form in which the training part is there, since the first is tokenised and the other is not.
    """
    path = _one_of(folder, "WikiQA-train", ("txt", "tsv"))
    form = path.suffix
    train = read_wiki_qa(path)
    # Questions without a correct sentence teach nothing, but their sentences stay as wrong answers of others.
    rest, held_out = train.split(HELD_OUT)
    parts = [part for part in ("dev", "test") if _is_there(Path(folder), f"WikiQA-{part}{form}")]
    reported = {f"WikiQA {part}": read_wiki_qa(Path(folder) / f"WikiQA-{part}{form}") for part in parts}
    return Corpora(
        rest, held_out.with_right_answer(), {name: data.with_right_answer() for name, data in reported.items()}
    )


def _join(one, other):
    """Put two sets together: `reported` is chosen for by the validation part of its own set."""
    like_reported = {}
    for corpora in (one, other):
        like_reported.update(dict.fromkeys(corpora.reported, corpora.validation), **corpora.like_reported)
    return Corpora(
        one.train.join(other.train),
        one.validation.join(other.validation),
        {**one.reported, **other.reported},
        like_reported,
    )


def _split(train):
    return train.split(INSURANCE_QA_HELD_OUT if len(train.questions) > 2 * INSURANCE_QA_HELD_OUT else HELD_OUT)


def _with_random_pools(held_out):
    return held_out.with_random_pools(min(INSURANCE_QA_POOL_SIZE, len(held_out.answers)))


def _is_there(folder, name):
    return (folder / name).is_file() or (folder / f"{name}.gz").is_file()


def _one_of(folder, stem, forms):
    names = [f"{stem}.{form}" for form in forms]
    found = [Path(folder) / name for name in names if _is_there(Path(folder), name)]
    if not found:
        raise ValueError(f"Expected {' or '.join(names)}, plain or .gz, in the folder. Received: {str(folder)!r}")
    return found[0]


def with_pools(data):
    """Return data with its own pools, or with drawn ones of `POOL_SIZE` if it has none."""
    return data.with_random_pools(min(POOL_SIZE, len(data.answers))) if data.pools is None else data
