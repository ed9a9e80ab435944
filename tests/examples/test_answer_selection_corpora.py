"""Public sets in small files of their publishers' forms: what is trained on, what validates, what is reported."""

import gzip

import numpy as np
import pytest
from typer.testing import CliRunner

from examples.answer_selection import evaluate, train
from examples.answer_selection.corpora import open_corpora, read_answers
from keras_attention.answer_selector import AnswerSelector

WORDS = ["what", "does", "cover", "mean", *(f"thing{i}" for i in range(40)), "it", "is", "a", "plan", "for"]
INDEX = {word: f"idx_{i + 1}" for i, word in enumerate(WORDS)}
VOCABULARY = "".join(f"{index}\t{word}\n" for word, index in INDEX.items())


def encode(text):
    return " ".join(INDEX[word] for word in text.split())


def write(path, text, packed=True):
    path.parent.mkdir(parents=True, exist_ok=True)
    if packed:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)


def insurance_answers(count=40):
    return "".join(f"{i + 1}\t{encode(f'thing{i} is a plan for thing{(i + 1) % 40}')}\n" for i in range(count))


def insurance_v2(folder, random_pools=True, parts=("valid",)):
    """40 answers; a question for each of the first 30 trains, the last 10 are reported."""

    def lines(numbers, pools):
        asked = (encode(f"what does thing{i} cover") for i in numbers)
        return "".join(f"d\t{q}\t{i + 1}\t{pool}\n" for i, q, pool in zip(numbers, asked, pools))

    write(folder / "vocabulary", VOCABULARY)
    write(folder / "InsuranceQA.label2answer.raw.encoded", insurance_answers())
    stem = "InsuranceQA.question.anslabel.raw.{}.pool.solr.{}.encoded"
    near = [f"{i + 1} {i + 2} {i + 3}" for i in range(30)]
    write(folder / stem.format(100, "train"), lines(range(30), near))
    write(folder / stem.format(500, "train"), lines(range(30), near))  # a second size, as the publisher has it
    for part in parts:
        # Retrieval has missed the right answer of every second question.
        pools = [f"{i + 1 if i % 2 else 1} 2 3" for i in range(30, 40)]
        write(folder / stem.format(500, part), lines(range(30, 40), pools))
        if random_pools:
            drawn = "".join(f"{i}\t{31 + i}\t5 6 {31 + i} 7\n" for i in range(10))
            write(folder / f"random500.{part}.tsv", drawn)
    return folder


def test_insurance_qa_v2_in_both_protocols(tmp_path):
    corpora = open_corpora(insuranceqa_v2=insurance_v2(tmp_path))
    assert (len(corpora.train.questions), len(corpora.validation.questions)) == (27, 3)
    assert not set(corpora.train.questions) & set(corpora.validation.questions)
    assert all(len(pool) == 40 for pool in corpora.validation.pools)
    assert list(corpora.reported) == ["InsuranceQA v2 valid, random-500", "InsuranceQA v2 valid, SOLR-500"]
    random, solr = corpora.reported.values()
    assert [pool.tolist() for pool in random.pools[:2]] == [[4, 5, 30, 6], [4, 5, 31, 6]]
    assert len(random.questions) == 10
    assert [question.split()[2] for question in solr.questions] == [f"thing{i}" for i in range(31, 40, 2)]
    assert not set(random.questions) & {*corpora.train.questions, *corpora.validation.questions}
    ((name, like_solr),) = corpora.like_reported.items()
    assert name == "InsuranceQA v2 valid, SOLR-500"
    assert like_solr.questions == corpora.validation.questions
    assert all(len(pool) == 3 for pool in like_solr.pools)


def test_insurance_qa_v2_draws_pools_that_are_not_given(tmp_path):
    corpora = open_corpora(insuranceqa_v2=insurance_v2(tmp_path, random_pools=False, parts=("valid", "test")))
    assert [name.split()[2] for name in corpora.reported] == ["valid,", "valid,", "test,", "test,"]
    drawn = corpora.reported["InsuranceQA v2 test, random-500"]
    assert [sorted(pool) for pool in drawn.pools] == [list(range(40))] * 10


def test_insurance_qa_v1(tmp_path):
    write(tmp_path / "vocabulary", VOCABULARY)
    write(tmp_path / "answers.label.token_idx", insurance_answers())
    asked = [encode(f"what does thing{i} mean") for i in range(40)]
    write(tmp_path / "question.train.token_idx.label", "".join(f"{q}\t{i + 1}\n" for i, q in enumerate(asked[:30])))
    write(tmp_path / "question.test1.label.token_idx.pool", f"40\t{asked[39]}\t3 40 4\n")
    corpora = open_corpora(insuranceqa_v1=tmp_path)
    assert (len(corpora.train.questions), len(corpora.validation.questions)) == (27, 3)
    assert list(corpora.reported) == ["InsuranceQA v1 test1"]
    assert corpora.reported["InsuranceQA v1 test1"].pools[0].tolist() == [2, 39, 3]


TREC = "qid\tquestion\tsentence\tlabel\n"
BLOCK = "<QApairs id='{0}'>\n<question>\nwhich\tone\t{0}\n</question>\n{1}</QApairs>\n"


@pytest.mark.parametrize("form", ["tsv", "xml"])
def test_trec_qa_is_clean_where_it_measures_and_whole_where_it_trains(tmp_path, form):
    """Three questions a part: with right and wrong sentences, with right ones only, with wrong ones only."""
    for part in ("train-all", "dev", "test"):
        if form == "tsv":
            rows = [("1", 1), ("1", 0), ("2", 1), ("3", 0)]
            text = TREC + "".join(f"{q}\twhich one {q}\tsentence {part} {q} {y}\t{y}\n" for q, y in rows)
        else:
            sides = {1: "<positive>\na\tyes\n</positive>\n", 0: "<negative>\na\tno\n</negative>\n"}
            labels = {1: [1, 0], 2: [1], 3: [0]}
            text = "".join(BLOCK.format(q, "".join(sides[y] for y in ys)) for q, ys in labels.items())
        write(tmp_path / f"{part}.{form}", text)
    corpora = open_corpora(trecqa=tmp_path)
    assert len(corpora.train.questions) == 3
    assert corpora.validation.questions == ("which one 1",)
    ((name, test),) = corpora.reported.items()
    assert name == "TREC-QA test, clean"
    assert test.questions == ("which one 1",)
    assert [len(pool) for pool in test.pools] == [2]


@pytest.mark.parametrize("form", ["txt", "tsv"])
def test_wiki_qa_keeps_questions_with_a_correct_sentence(tmp_path, form):
    def rows(part, count):
        # Every third question has no correct sentence.
        for i in range(count):
            for j in range(2):
                yield f"{part} question {i} ?", f"{part} sentence {i} {j}", int(j == 1 and i % 3 > 0)

    header = "QuestionID\tQuestion\tDocumentID\tDocumentTitle\tSentenceID\tSentence\tLabel\n"
    for part, count in (("train", 40), ("dev", 6)):
        if form == "txt":
            text = "".join(f"{q}\t{s}\t{y}\n" for q, s, y in rows(part, count))
        else:
            text = header + "".join(f"{q}\t{q}\tD\tT\tS\t{s}\t{y}\n" for q, s, y in rows(part, count))
        write(tmp_path / f"WikiQA-{part}.{form}", text, packed=part == "train")
    corpora = open_corpora(wikiqa=tmp_path)
    assert len(corpora.train.questions) == 36
    assert 0 < len(corpora.validation.questions) <= 4
    assert all(np.isin(gold, pool).all() for gold, pool in zip(corpora.validation.gold, corpora.validation.pools))
    ((name, dev),) = corpora.reported.items()
    assert (name, len(dev.questions)) == ("WikiQA dev", 4)


def test_several_public_sets_train_together_and_are_reported_apart(tmp_path):
    insurance = insurance_v2(tmp_path / "insurance")
    for part in ("train-all", "dev", "test"):
        rows = "".join(f"{q}\twhich one {q}\tsentence {part} {q} {y}\t{y}\n" for q in (1, 2) for y in (1, 0))
        write(tmp_path / "trec" / f"{part}.tsv", TREC + rows)
    alone = open_corpora(insuranceqa_v2=insurance), open_corpora(trecqa=tmp_path / "trec")
    both = open_corpora(insuranceqa_v2=insurance, trecqa=tmp_path / "trec")
    assert len(both.train.questions) == sum(len(one.train.questions) for one in alone)
    assert both.validation.questions == alone[0].validation.questions + alone[1].validation.questions
    assert list(both.reported) == [*alone[0].reported, *alone[1].reported]
    assert both.reported["TREC-QA test, clean"].answers == alone[1].reported["TREC-QA test, clean"].answers
    own = {name: data.questions for name, data in both.like_reported.items()}
    assert own["TREC-QA test, clean"] == alone[1].validation.questions
    assert own["InsuranceQA v2 valid, random-500"] == alone[0].validation.questions
    solr = alone[0].like_reported["InsuranceQA v2 valid, SOLR-500"]
    assert own["InsuranceQA v2 valid, SOLR-500"] == solr.questions
    with pytest.raises(ValueError, match="--medquad and --trecqa"):
        open_corpora(medquad=True, trecqa=tmp_path / "trec")


@pytest.mark.parametrize(
    "named, complaint",
    [
        ({"trecqa": "here"}, r"train-all.tsv or train-all.xml, plain or .gz"),
        ({"wikiqa": "here"}, "WikiQA-train.txt or WikiQA-train.tsv"),
        ({"insuranceqa_v2": "here"}, r"raw.100.pool.solr.train.encoded"),
        ({"insuranceqa_v1": "here"}, "vocabulary"),
        ({"medquad": True, "wikiqa": "here"}, "--medquad and --wikiqa"),
        ({"wikiqa": "here", "validation": "x"}, "go with --train"),
    ],
)
def test_what_is_missing_is_named(named, complaint, tmp_path):
    with pytest.raises(ValueError, match=complaint):
        open_corpora(**{name: tmp_path if value == "here" else value for name, value in named.items()})


def test_answers_one_a_line(tmp_path):
    path = tmp_path / "answers.txt"
    path.write_text(" one \n\ntwo\r\n", encoding="utf-8")
    assert read_answers(path) == ["one", "two"]
    path.write_text("\n")
    with pytest.raises(ValueError, match=r"answers\.txt: expected answers"):
        read_answers(path)


CONFIG = """
[text]
tokenizer = "words"
lowercase = true
minimum_count = 2
[data]
question_length = 6
answer_length = 8
batch_size = 9
[vectors]
frequency_scaled = true
further_words = 3
[model]
name = "qa_cnn"
embedding_width = 12
filters = 12
kernel_initializer = "center_tap"
[training]
epochs = 1
"""


def test_a_public_set_from_the_command_line(tmp_path):
    """Both protocols are reported beside BM25; words that only the vectors' file has are known to the selector."""
    folder = insurance_v2(tmp_path / "v2")
    (tmp_path / "config.toml").write_text(CONFIG)
    np.save(tmp_path / "vectors.npy", np.random.default_rng(0).normal(size=(4, 5)).astype("float16"))
    (tmp_path / "words.txt").write_text("thing3\nzebra\ndeductible\nlast\n")
    vectors = ["--vectors", tmp_path / "vectors.npy", "--vectors-words", tmp_path / "words.txt"]
    corpus = ["--insuranceqa-v2", folder]
    arguments = ["--config", tmp_path / "config.toml", "--workdir", tmp_path / "run", "--verbose", 0, *corpus, *vectors]
    result = CliRunner().invoke(train.app, [str(x) for x in arguments])
    assert result.exit_code == 0, result.output
    for expected in ("random-500", "SOLR-500", "BM25", "10 questions", "5 questions"):
        assert expected in result.output
    selector = AnswerSelector.load(tmp_path / "run" / "selector")
    assert min(selector.tokenizer.piece_to_id(word) for word in ("zebra", "deductible")) > 40
    assert selector.tokenizer.piece_to_id("last") == 1
    picture = ["--picture", tmp_path / "lengths.png"]
    arguments = ["--selector", tmp_path / "run" / "selector", *corpus, *picture]
    result = CliRunner().invoke(evaluate.app, [str(x) for x in arguments])
    assert result.exit_code == 0, result.output
    assert len(list(tmp_path.glob("lengths-InsuranceQA-v2-valid-*-500.png"))) == 2


def test_there_must_be_something_to_measure(tmp_path):
    rows = "".join(f"question {i} ?\tsentence {i} {j}\t{j}\n" for i in range(20) for j in range(2))
    write(tmp_path / "WikiQA-train.txt", rows)
    result = CliRunner().invoke(evaluate.app, ["--selector", str(tmp_path), "--wikiqa", str(tmp_path)])
    assert result.exit_code == 2
    assert "a part to report" in result.output


def test_vectors_that_are_missing_are_named(tmp_path):
    (tmp_path / "config.toml").write_text(CONFIG)
    arguments = ["--config", tmp_path / "config.toml", "--workdir", tmp_path / "run", "--medquad"]
    for further, complaint in ((["--vectors", tmp_path / "none.txt"], "none.txt"), ([], "file of word vectors")):
        result = CliRunner().invoke(train.app, [str(x) for x in (*arguments, *further)])
        assert result.exit_code == 2
        assert complaint in result.output.replace("\n", " ")
        assert not (tmp_path / "run").exists()
