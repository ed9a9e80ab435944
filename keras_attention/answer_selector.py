"""Answer selection as people use it: a question in, the best answers out."""

import json
import numbers
from pathlib import Path

import keras
import numpy as np

from keras_attention.data import encode_texts
from keras_attention.evaluation import add_bm25
from keras_attention.export.answer_selection import (
    AnswerSelectionGraph,
    export_answer_selection,
    export_answer_selection_tflite,
)
from keras_attention.export.answer_selection_index import AnswerIndexGraph, export_answer_index
from keras_attention.models.answer_selection.attentive_pooling_model import AttentivePoolingModel
from keras_attention.models.half_precision import in_float32
from keras_attention.ranked_answer import RankedAnswer
from keras_attention.retrieval import BM25, AnswerFeatureIndex, build_answer_index, load_answer_index, save_answer_index
from keras_attention.retrieval.answer_index import is_mapped_from
from keras_attention.text import load_tokenizer

_FILE = "selector.json"
_ANSWERS_FILE = "answers.json"
_LENGTHS = ("question_length", "answer_length")
_PART = 512  # Answers encoded before they go into the index: bounds what stands in memory with padding.
_SCORED_PART = 2048  # Answers encoded before they are scored and forgotten: questions are projected once for each part.


class AnswerSelector:
    """An answer-selection model with its tokenizer, and perhaps an index of answers.

    Args:
        model: One of the four models: `QACNN`, `QABiLSTM`, `APCNN` or `APBiLSTM`.
        tokenizer: The tokenizer of both sides.
        question_length: Tokens of a question that are read; the rest is cut off.
        answer_length: Tokens of an answer that are read.

    A text without any token (empty, or only spaces) has similarity 0 to anything. Every pair is scored as if it were
    alone. Answers of equal score keep the order in which they came.

    Raises:
        ValueError: If the tokenizer's vocabulary is larger than the model's, or a length is below 1.

    Example:
    ```python
    selector = AnswerSelector.load("runs/medquad/selector")
    selector.rank("What causes anemia ?", ["Too little iron ...", "Call your doctor ..."])[0].text
    best = selector.rank("What causes anemia ?", candidates, top_k=1, return_weights=True)[0]
    plot_pooling(best.question_tokens, best.question_weights, best.answer_tokens, best.answer_weights)

    selector.index(answers)
    for found in selector.search("What causes anemia ?", top_k=3):
        print(found.score, found.text)
    ```
    """

    def __init__(self, model, tokenizer, question_length, answer_length):
        self.graph = AnswerSelectionGraph(model, tokenizer, question_length, answer_length)
        self.model = model
        self.tokenizer = tokenizer
        self.question_length = question_length
        self.answer_length = answer_length
        self.answers = None
        self.answer_index = None
        self.bm25 = None

    @property
    def has_weights(self):
        """Whether the model pools by attention, so that there are weights to show."""
        return isinstance(self.model, AttentivePoolingModel)

    def rank(self, question, candidates, *, top_k=None, overlap=None, return_weights=False, batch_size=64):
        """Order candidate answers of one question.

        Args:
            question: A string.
            candidates: A list of strings.
            top_k: How many to return; None for all.
            overlap: A `WordOverlap` whose weighted scores are added to the similarities; scores are their sum then.
            return_weights: Return also tokens and attention weights, for the heat map. AP models only.
            batch_size: Answers encoded together.

        Returns:
            A list of `RankedAnswer`, the best first; `place` is the place in `candidates`.

        Raises:
            ValueError: If an argument is of the wrong type or out of range, or weights are asked of a model that has
                none.
        """
        self._check(top_k, return_weights, batch_size)
        _check_question(question)
        candidates = _checked_texts("candidates", candidates)
        if not candidates:
            return []
        index = build_answer_index(self._encoded_parts(candidates, batch_size))
        pools = np.arange(len(candidates))[None]
        scores = self._score(self._encode_questions([question], batch_size), index, pools)
        scores = _add_overlap(scores, overlap, [question], candidates, pools)[0]
        order = np.argsort(-scores, kind="stable")[:top_k]
        return self._ranked(question, candidates, order, scores[order], return_weights)

    def index(self, answers, *, dtype="float32", directory=None, bm25=None, batch_size=256):
        """Compute the answers' side of the model once, for `search`. Replaces an earlier index.

        For QA models that is a vector per answer. For AP models, whose vectors depend on the question, it is a vector
        per token, and beside it BM25, which proposes candidates: that takes much more room. To be made again
        after the model's weights have changed.

        Args:
            answers: A list of strings, at least one.
            dtype: `"float32"`, or `"float16"` for half the room.
            directory: Folder to write the index into part by part; it is memory-mapped then. None: in memory.
            bm25: Dict of options of `BM25`, such as `{"stemmer": "english", "k1": 0.4, "b": 0.2}`. AP models only.
            batch_size: Answers encoded together.

        Returns:
            The selector itself.

        Raises:
            ValueError: If an argument is of the wrong type or out of range.
            ImportError: If `bm25s` is not installed. AP models only.
        """
        self._check(None, False, batch_size)
        answers = _checked_texts("answers", answers)
        if not answers:
            raise ValueError("`answers` must hold at least one answer. Received: answers=[]")
        if bm25 and not self.has_weights:
            raise ValueError(f"BM25 is not part of the index of {type(self.model).__name__}. Received: bm25={bm25!r}")
        bm25 = BM25(answers, **(bm25 or {})) if self.has_weights else None
        if directory is not None:
            # Without its answers the folder is no index: so a run cut off half-way is not taken for one.
            (Path(directory) / _ANSWERS_FILE).unlink(missing_ok=True)
        index = build_answer_index(self._encoded_parts(answers, batch_size), dtype=dtype, directory=directory)
        self.answers, self.answer_index, self.bm25 = answers, index, bm25
        if directory is not None:
            self._write_answers(Path(directory))
        return self

    def search(
        self,
        questions,
        top_k=10,
        *,
        candidates=None,
        candidate_count=100,
        bm25_weight=0.0,
        overlap=None,
        return_weights=False,
        batch_size=64,
    ):
        """Return the best answers of the index.

        QA models search the whole index. AP models score exactly the candidates that BM25 proposes, or yours: an
        answer that shares no word with the question is hardly ever among BM25's.

        Args:
            questions: A string, or a list of strings.
            top_k: Answers per question; None for all there are to choose from.
            candidates: For each question (for one string: for it) a list of places in the index to choose from,
                instead of BM25's or of all.
            candidate_count: How many candidates BM25 proposes; at least `top_k` of them. AP models only.
            bm25_weight: What a point of BM25 adds to the similarity (`choose_bm25_weight`); scores are their sum then.
                AP models only.
            overlap: A `WordOverlap` whose weighted scores are added to the similarities of the candidates; scores are
                their sum then. QA models want `candidates` for it.
            return_weights: Return also tokens and attention weights, for the heat map. AP models only.
            batch_size: Questions encoded together.

        Returns:
            A list of `RankedAnswer`, the best first, `place` being the place in the index; for a list of questions a
            list of such lists.

        Raises:
            ValueError: If there is no index yet, or an argument is of the wrong type or out of range.
            ImportError: If `faiss` is not installed. QA models only.
        """
        self._check(top_k, return_weights, batch_size)
        self._require_index()
        top_k = max(len(self.answers), 1) if top_k is None else top_k
        if bm25_weight and self.bm25 is None:
            raise ValueError(
                f"BM25 is not part of the index of {type(self.model).__name__}. Received: bm25_weight={bm25_weight}"
            )
        if overlap is not None and candidates is None and not self.has_weights:
            raise ValueError(
                f"The index of {type(self.model).__name__} is searched as a whole: word overlap wants `candidates`. "
                "Received: candidates=None"
            )
        if isinstance(questions, str):
            candidates = None if candidates is None else [candidates]
            options = {"candidate_count": candidate_count, "bm25_weight": bm25_weight, "return_weights": return_weights}
            options.update(overlap=overlap, batch_size=batch_size)
            return self.search([questions], top_k, candidates=candidates, **options)[0]
        questions = _checked_texts("questions", questions)
        if not questions:
            return []
        encoded = self._encode_questions(questions, batch_size)
        if candidates is None and not self.has_weights:
            found, scores = self.answer_index.search(encoded, top_k)
        else:
            if candidates is None:
                count = max(top_k, candidate_count)
                candidates = [self.bm25.search(question, count)[0] for question in questions]
            pools = self._pools(candidates, len(questions), len(self.answers))
            scores = self._score(encoded, self.answer_index, pools)
            if bm25_weight:
                scores = add_bm25(scores, self.bm25.score_pools(questions, pools), bm25_weight)
            scores = _add_overlap(scores, overlap, questions, self.answers, pools)
            scores = np.where(pools < 0, -np.inf, scores)
            order = np.argsort(-scores, axis=1, kind="stable")[:, :top_k]
            found, scores = np.take_along_axis(pools, order, 1), np.take_along_axis(scores, order, 1)
        return [
            self._ranked(question, self.answers, row[row >= 0], row_scores[row >= 0], return_weights)
            for question, row, row_scores in zip(questions, found, scores)
        ]

    def score_candidates(self, questions, candidates, *, answers=None, batch_size=256):
        """Score many questions, each against its own candidates of the index; for evaluation.

        Args:
            questions: A list of strings.
            candidates: Integer array `(questions, C)` of places in the index, -1 as padding; or lists of places.
            answers: A list of strings that the places are of, instead of the index. They are encoded part by part and
                not kept: the features of ten thousands of answers would take gigabytes.
            batch_size: Texts encoded together.

        Returns:
            Float32 array `(questions, C)`, 0 at padding.

        Raises:
            ValueError: If there is no index yet, or an argument is of the wrong type or out of range.
        """
        self._check(None, False, batch_size)
        if answers is None:
            self._require_index()
        answers = self.answers if answers is None else _checked_texts("answers", answers)
        questions = _checked_texts("questions", questions)
        pools = self._pools(candidates, len(questions), len(answers))
        scores = np.zeros(pools.shape, "float32")
        if not questions:
            return scores
        encoded = self._encode_questions(questions, batch_size)
        if answers is self.answers:
            return self._score(encoded, self.answer_index, pools)
        begin = 0
        for part in self._encoded_parts(answers, batch_size, _SCORED_PART):
            if self.has_weights:  # seen as an index, without being copied into one
                offsets = np.append(0, np.cumsum(part["lengths"]))
                part = AnswerFeatureIndex(part["features"], offsets).encoded_answers()
            end = begin + len(next(iter(part.values())))
            here = (pools >= begin) & (pools < end)
            scores += self.model.score_pools(encoded, part, np.where(here, pools - begin, -1))
            begin = end
        return scores

    def save(self, directory):
        """Write model, tokenizer, lengths and, if there is one, the index into a folder, for `load`.

        A model trained in half precision is written in float32, in which it runs anywhere.
        """
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        in_float32(self.model).save(directory / "model.keras")
        self.tokenizer.save(directory / "tokenizer")
        config = {name: getattr(self, name) for name in _LENGTHS}
        (directory / _FILE).write_text(json.dumps(config, indent=2) + "\n", "utf-8")
        folder = directory / "index"
        if self.answer_index is None:
            (folder / _ANSWERS_FILE).unlink(missing_ok=True)  # an earlier selector's index is not this one's
        elif not is_mapped_from(self.answer_index, folder):
            (folder / _ANSWERS_FILE).unlink(missing_ok=True)
            save_answer_index(self.answer_index, folder)
            self._write_answers(folder)

    @classmethod
    def load(cls, directory, *, memory_map=True):
        """Read a selector that `save` wrote, with its index if it has one.

        Args:
            directory: The folder.
            memory_map: Leave the index on the disk and let the system page it in.

        Raises:
            ValueError: If there is none.
        """
        directory = Path(directory)
        if not (directory / _FILE).exists():
            raise ValueError(f"Expected the folder of a saved selector, with {_FILE}. Received: {str(directory)!r}")
        config = json.loads((directory / _FILE).read_text("utf-8"))
        model = keras.models.load_model(directory / "model.keras", compile=False)
        selector = cls(model, load_tokenizer(directory / "tokenizer"), **config)
        if (directory / "index" / _ANSWERS_FILE).exists():
            selector.load_index(directory / "index", memory_map=memory_map)
        return selector

    def load_index(self, directory, *, memory_map=True):
        """Read an index that `index(answers, directory=...)` wrote. It must be of this model with these weights.

        Args:
            directory: The folder.
            memory_map: Leave it on the disk and let the system page it in.

        Returns:
            The selector itself.

        Raises:
            ValueError: If there is none, or one of another kind of model.
        """
        directory = Path(directory)
        if not (directory / _ANSWERS_FILE).exists():
            raise ValueError(f"Expected the folder of an index, with {_ANSWERS_FILE}. Received: {str(directory)!r}")
        index = load_answer_index(directory, memory_map=memory_map)
        if index.kind != ("features" if self.has_weights else "vector"):
            raise ValueError(
                f"Expected an index that {type(self.model).__name__} can search. Received: an index of {index.kind}"
            )
        answers = json.loads((directory / _ANSWERS_FILE).read_text("utf-8"))
        bm25 = BM25.load(directory / "bm25") if self.has_weights else None
        self.answers, self.answer_index, self.bm25 = answers, index, bm25
        return self

    def _float32_graph(self):
        model = in_float32(self.model)
        if model is self.model:
            return self.graph
        return AnswerSelectionGraph(model, self.tokenizer, self.question_length, self.answer_length)

    def export(self, directory, version=None, *, interface="text", allow_newer_operations=False):
        """Write `<directory>/<version>/`, a SavedModel from strings to similarities, or with `interface="token_ids"`
        from ids. See `export_answer_selection`.
        """
        return export_answer_selection(self._float32_graph(), directory, version, interface, allow_newer_operations)

    def export_with_index(
        self,
        directory,
        version=None,
        *,
        top_k=10,
        candidate_count=100,
        encode_when_asked=False,
        allow_newer_operations=False,
    ):
        """Write `<directory>/<version>/`, a SavedModel that holds the index and answers questions from it.

        Args:
            directory: The model's folder; the version is a folder inside it, as TF Serving wants.
            version: Integer; one more than the greatest there if None, beginning with 1.
            top_k: Answers per question; all of them if the index has fewer.
            candidate_count: How many candidates BM25 proposes; at least `top_k` of them. AP models only.
            encode_when_asked: Store the answers' ids instead of their features, and compute the features of the
                candidates at every question: a small fraction of the room, more time per question. AP models only.
            allow_newer_operations: Allow operations that servers before 2.20 do not have, see `check_operations`.

        Signatures: see `export_answer_index`.

        Raises:
            ValueError: If there is no index yet, or an argument is out of range; or as of `export`.
            RuntimeError: If the reloaded SavedModel answers otherwise than `search`. Nothing is left behind then.
        """
        self._check(top_k, False, 1)
        self._require_index()
        if encode_when_asked and not self.has_weights:
            raise ValueError(
                f"`encode_when_asked` is for AP models; the index of {type(self.model).__name__} is small. "
                "Received: encode_when_asked=True"
            )
        if self.bm25 is not None and self.bm25.stemmer:
            raise ValueError(
                "A SavedModel looks words up as they are: index the answers without a stemmer to export them. "
                f"Received: stemmer={self.bm25.stemmer!r}"
            )
        index, count = self.answer_index, min(max(top_k, candidate_count), len(self.answers))
        model = in_float32(self.model)
        if model is not self.model:  # what is compared must be computed as it is served
            selector = AnswerSelector(model, self.tokenizer, self.question_length, self.answer_length)
            selector.index(self.answers, dtype=index.describe()["dtype"])
            return selector.export_with_index(
                directory,
                version,
                top_k=top_k,
                candidate_count=candidate_count,
                encode_when_asked=encode_when_asked,
                allow_newer_operations=allow_newer_operations,
            )
        if not self.has_weights:
            stored = {"vectors": np.asarray(index.vectors)}
        else:
            stored = {"postings": self.bm25.postings(), "candidate_count": count}
            if encode_when_asked:
                ids = encode_texts(self.answers, self.tokenizer, self.answer_length)
                stored["ids"], stored["offsets"] = ids[ids != 0], np.append(0, np.cumsum((ids != 0).sum(axis=1)))
            else:
                stored["features"], stored["offsets"] = np.asarray(index.features), index.offsets
        graph = AnswerIndexGraph(self.graph, self.answers, min(top_k, len(self.answers)), **stored)

        def expected(questions):
            found = self.search(questions, graph.top_k, candidate_count=candidate_count)
            return np.array([[one.score for one in row] for row in found], "float32")

        tolerance = 5e-3 if index.describe()["dtype"] == "float16" else 1e-3
        return export_answer_index(graph, expected, directory, version, allow_newer_operations, tolerance)

    def export_tflite(self, path):
        """Write a TFLite file from the ids of one pair to its similarity. See `export_answer_selection_tflite`."""
        return export_answer_selection_tflite(self._float32_graph(), path)

    def _encode_questions(self, questions, batch_size):
        return self.model.encode_questions(encode_texts(questions, self.tokenizer, self.question_length), batch_size)

    def _encoded_parts(self, texts, batch_size, size=_PART):
        """Encode answers part by part."""
        for begin in range(0, len(texts), size):
            ids = encode_texts(texts[begin : begin + size], self.tokenizer, self.answer_length)
            yield self.model.encode_by_length(ids, batch_size)

    def _score(self, encoded_questions, index, pools):
        if index.kind == "vector":
            return index.score_candidates(encoded_questions, pools)
        return self.model.score_pools(encoded_questions, index.encoded_answers(), pools)

    def _pools(self, candidates, count, answers):
        """Return lists of places as one array, -1 where a list is shorter, checked."""
        candidates = [np.asarray(row, dtype="int64").reshape(-1) for row in candidates]
        if len(candidates) != count:
            raise ValueError(f"`candidates` must be one list per question, {count}. Received: {len(candidates)} lists")
        pools = np.full((count, max((len(row) for row in candidates), default=0)), -1, dtype="int64")
        for row, places in enumerate(candidates):
            if places.size and (places.min() < -1 or places.max() >= answers):
                raise ValueError(
                    f"`candidates` must be places from 0 to {answers - 1}. "
                    f"Received: candidates[{row}]={places[:20].tolist()}"
                )
            pools[row, : len(places)] = places
        return pools

    def _ranked(self, question, texts, places, scores, return_weights):
        """Make the `RankedAnswer` objects of one question."""
        found = [RankedAnswer(texts[i], float(score), int(i)) for i, score in zip(places, scores)]
        if not return_weights or not found:
            return found
        question_ids = encode_texts([question], self.tokenizer, self.question_length)
        answer_ids = encode_texts([one.text for one in found], self.tokenizer, self.answer_length)
        weights = self.model.attention_model.predict_on_batch(
            {"question_ids": question_ids, "answer_ids": answer_ids[None]}
        )
        question_tokens = self.tokenizer.pieces(question)[: self.question_length]
        weighted = []
        for one, question_weights, answer_weights in zip(found, *(np.asarray(side)[0] for side in weights)):
            answer_tokens = self.tokenizer.pieces(one.text)[: self.answer_length]
            weighted.append(
                RankedAnswer(
                    one.text,
                    one.score,
                    one.place,
                    question_tokens,
                    question_weights[: len(question_tokens)],
                    answer_tokens,
                    answer_weights[: len(answer_tokens)],
                )
            )
        return weighted

    def _require_index(self):
        if self.answer_index is None:
            raise ValueError("Expected an index to search: call `index(answers)` first. Received: a selector without")

    def _check(self, top_k, return_weights, batch_size):
        if return_weights and not self.has_weights:
            raise ValueError(
                f"{type(self.model).__name__} has no attention weights; APCNN and APBiLSTM have. "
                "Received: return_weights=True"
            )
        for name, value in (("top_k", top_k), ("batch_size", batch_size)):
            if value is not None and (not isinstance(value, numbers.Integral) or value < 1):
                raise ValueError(f"`{name}` must be a whole number, at least 1. Received: {name}={value!r}")

    def _write_answers(self, directory):
        if self.bm25 is not None:
            self.bm25.save(directory / "bm25")
        (directory / _ANSWERS_FILE).write_text(json.dumps(self.answers, ensure_ascii=False), "utf-8")


def _add_overlap(scores, overlap, questions, answers, pools):
    """Return the scores of `pools` with those of a `WordOverlap` added, if one is given."""
    if overlap is None:
        return scores
    if overlap.weight is None:
        raise ValueError("`overlap.weight` must say what a point adds, see `choose_weight_beside`. Received: None")
    return scores + np.float32(overlap.weight) * overlap.score_pools(questions, answers, pools)


def _check_question(question):
    if not isinstance(question, str):
        raise ValueError(f"`question` must be a string. Received: question={question!r}")


def _checked_texts(name, texts):
    if isinstance(texts, (str, bytes)):
        raise ValueError(f"`{name}` must be a list of strings, not one string. Received: {name}={texts!r}")
    texts = list(texts)
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"`{name}` must be a list of strings. Received: {name}[{i}]={text!r}")
    return texts
