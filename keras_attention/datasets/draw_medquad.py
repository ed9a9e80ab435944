"""Draws the embedded share of MedQuAD from its published table.

    python -m keras_attention.datasets.draw_medquad medquad.tsv.gz --output keras_attention/datasets/medquad \
        --vectors vectors.npy --words words.txt

The table has a header line and the columns collection, document_id, pair_id, question_type, focus, question, answer,
url, separated by tabs. What is kept, and why:

1. Pairs with a focus and an answer of at most 150 words: whole answers, short enough for recurrent models.
2. Answers given for one focus only. A text that stands for several hundred diseases answers none in particular, and
   would tie them all into one lump that no split could part.
3. Questions that read the same are one question with several right answers; answers that read the same are one answer
   (up to letter case and white space; the first spelling stays).
4. Foci that share a question are one. Foci with fewer than 3 answers are left out: the answers of one focus are each
   other's hard wrong answers, and there is nothing to choose where there is one.
5. Split by focus: the hash of its name decides among test (12 %), validation (10 %) and training, so no focus, no
   question and no answer stands on two sides, and a larger table would not move what is placed already.
6. Pools of 20 from the answers of the split: the right ones, then the others of the same focus, then others picked by
   hash. They are written in order of id, which gives nothing away.

Nothing is random: the same table gives the same files, byte for byte under the same zlib.
"""

import argparse
import collections
import gzip
import hashlib
import re
from pathlib import Path

import numpy

COLUMNS = ["collection", "document_id", "pair_id", "question_type", "focus", "question", "answer", "url"]
MAXIMUM_WORDS = 150
MINIMUM_ANSWERS = 3
POOL_SIZE = 20
TEST_PERCENT, VALIDATION_PERCENT = 12, 10
SPLITS = ("train", "validation", "test")


def normal(text):
    """Return ``text`` in lower case with single spaces: what "reads the same" means here."""
    return " ".join(text.lower().split())


def hash_number(text):
    """Return a whole number from the text's SHA-256, the same on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:8], "big")


def read_table(path):
    """Return the rows of the published table as dicts; errors name file and line."""
    opener = gzip.open if str(path).endswith(".gz") else open
    rows = []
    with opener(path, "rt", encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            fields = line.rstrip("\r\n").split("\t")
            if len(fields) != len(COLUMNS) or (number == 1 and fields != COLUMNS):
                raise ValueError(f"{path}, line {number}: expected the columns {COLUMNS}. Received: {line[:80]!r}")
            if number > 1:
                rows.append(dict(zip(COLUMNS, fields)))
    return rows


def keep_rows(rows):
    """Return the rows that rules 1 and 2 leave."""
    foci = collections.defaultdict(set)
    for row in rows:
        foci[normal(row["answer"])].add(normal(row["focus"]))
    return [
        row
        for row in rows
        if row["focus"].strip() and row["answer"].strip() and row["question"].strip()
        if len(row["answer"].split()) <= MAXIMUM_WORDS and len(foci[normal(row["answer"])]) == 1
    ]


def group_by_focus(rows):
    """Return ``{name of focus: rows}``, foci that share a question joined under the first name in the alphabet."""
    parent = {}

    def find(name):
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    of_question = {}
    for row in rows:
        focus = find(normal(row["focus"]))
        other = find(of_question.setdefault(normal(row["question"]), focus))
        parent[max(focus, other)] = min(focus, other)
    groups = collections.defaultdict(list)
    for row in rows:
        groups[find(normal(row["focus"]))].append(row)
    return {
        name: groups[name]
        for name in sorted(groups)
        if len({normal(row["answer"]) for row in groups[name]}) >= MINIMUM_ANSWERS
    }


def split_of(focus):
    """Return the split of a focus, by its name alone."""
    place = hash_number(focus) % 100
    return "test" if place < TEST_PERCENT else "validation" if place < TEST_PERCENT + VALIDATION_PERCENT else "train"


def lay_out(groups):
    """Return the lines of the two tables of one split: answers, and questions with right ids and pools."""
    answers, questions, same_focus = [], [], []
    for focus, rows in groups.items():
        ids, right = {}, {}
        for row in rows:
            key = normal(row["answer"])
            if key not in ids:
                ids[key] = len(answers)
                source = f"{row['collection']}/{row['document_id']}/{row['pair_id']}"
                answers.append((str(len(answers)), source, focus, " ".join(row["answer"].split())))
            question = (" ".join(row["question"].split()), row["question_type"])
            _, gold = right.setdefault(normal(row["question"]), (question, []))
            if ids[key] not in gold:
                gold.append(ids[key])
        questions += right.values()
        same_focus += [sorted(ids.values())] * len(right)
    lines = []
    for ((question, question_type), gold), same in zip(questions, same_focus):
        pool = (sorted(gold) + [i for i in same if i not in gold])[:POOL_SIZE]
        number = 0
        while len(pool) < min(POOL_SIZE, len(answers)):
            other = hash_number(f"{question} {number}") % len(answers)
            number += 1
            if other not in pool and other not in same:
                pool.append(other)
        lines.append((question_type, question, " ".join(map(str, gold)), " ".join(map(str, sorted(pool)))))
    return answers, lines


def write_table(path, header, lines):
    """Write a gzipped tab-separated table without a time stamp, so that the same lines give the same bytes."""
    text = "".join("\t".join(line) + "\n" for line in [header, *lines])
    path.write_bytes(gzip.compress(text.encode("utf-8"), compresslevel=9, mtime=0))


def words_of(texts):
    """Return the lower-cased words of texts, cut both at every sign and at white space only, so hyphens may stay."""
    found = set()
    for text in texts:
        text = text.lower()
        found.update(re.findall(r"[^\W_]+|[^\w\s]", text))
        found.update(word.strip(".,;:!?()[]\"'") for word in text.split())
    return found


def draw(table, output, vectors=None, words=None):
    """Write the embedded corpus, and the share of word vectors for its words.

    Args:
        table: path of the published table, plain or gzipped.
        output: folder to write into.
        vectors: path of a float16 or float32 array ``.npy`` ``(words, d)``, or ``None``.
        words: path of its words, one a line.

    Returns:
        ``{file name: size in bytes}``.
    """
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    groups = group_by_focus(keep_rows(read_table(table)))
    texts = []
    for split in SPLITS:
        answers, questions = lay_out({focus: rows for focus, rows in groups.items() if split_of(focus) == split})
        write_table(output / f"{split}.answers.tsv.gz", ("id", "source", "focus", "answer"), answers)
        write_table(output / f"{split}.questions.tsv.gz", ("type", "question", "right", "pool"), questions)
        texts += [line[3] for line in answers] + [line[1] for line in questions]
    if vectors is not None:
        table = numpy.load(vectors, mmap_mode="r")
        names = Path(words).read_text(encoding="utf-8").split("\n")
        wanted = words_of(texts)
        kept = [row for row in range(len(table)) if names[row] in wanted]
        numpy.save(output / "vectors.npy", numpy.asarray(table[kept], dtype="float16"))
        text = "".join(names[row] + "\n" for row in kept)
        (output / "vectors.words.txt").write_text(text, encoding="utf-8")
    return {path.name: path.stat().st_size for path in sorted(output.iterdir())}


def main():
    """Read the arguments, draw, and print the sizes."""
    parser = argparse.ArgumentParser(description="Draw the embedded share of MedQuAD.")
    parser.add_argument("table", help="the published table, .tsv or .tsv.gz")
    parser.add_argument("--output", required=True, help="folder to write into")
    parser.add_argument("--vectors", help="word vectors, .npy")
    parser.add_argument("--words", help="the words of the vectors, one a line")
    arguments = parser.parse_args()
    if (arguments.vectors is None) != (arguments.words is None):
        parser.error("--vectors and --words go together")
    sizes = draw(arguments.table, arguments.output, arguments.vectors, arguments.words)
    for name, size in sizes.items():
        print(f"{size:>10,} bytes  {name}")
    print(f"{sum(sizes.values()):>10,} bytes  in total")


if __name__ == "__main__":
    main()
