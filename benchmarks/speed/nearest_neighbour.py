"""Search among a million answer vectors, beside an exact search, graph indexes and BM25."""

import time

import keras
import numpy as np

from benchmarks.speed.measure import Row, interleave
from keras_attention.data import encode_texts, read_med_quad
from keras_attention.losses import InBatchSoftmaxLoss
from keras_attention.models import QACNN
from keras_attention.retrieval import BM25, build_answer_index
from keras_attention.text import WordTokenizer
from keras_attention.training.adam import adam_class
from keras_attention.training.answer_selection_trainer import AnswerSelectionTrainer, with_labels

NOISE = 0.5  # length of the noise over the length of the vector: a copy has a cosine of 0.9 with its original
RECALL = 0.95
TUNED_TO = 0.98  # on the questions at hand, so that others find RECALL: questions about one disease are alike
TOP_K = 10


def rows(settings):
    """Time one question at a time."""
    answers, questions, notes = make_vectors(settings)
    large, small = settings.size((1_000_000, 100_000), (500, 300))
    return [
        million_row(repeated(answers, large), questions, settings, notes),
        graph_row(repeated(answers, small), questions, settings),
        words_row(settings),
    ]


def make_vectors(settings):
    """Train QA-CNN for a few epochs on the embedded MedQuAD; return vectors of its answers and of test questions."""
    from keras_attention.data import answer_selection_dataset, answer_selection_steps, encode_answer_selection

    keras.utils.set_random_seed(1)
    data = read_med_quad("train")
    tokenizer = WordTokenizer.train([*data.questions, *data.answers], vocabulary_size=8000)
    lengths = {"question_length": 24, "answer_length": settings.size(96, 12)}
    encoded = encode_answer_selection(data, tokenizer, **lengths)
    model = QACNN(tokenizer.vocabulary_size, embedding_width=settings.size(100, 8), filters=settings.size(256, 8))
    trainer = AnswerSelectionTrainer(model)
    trainer.compile(optimizer=adam_class()(1e-3), loss=InBatchSoftmaxLoss(0.05))
    dataset = with_labels(answer_selection_dataset(encoded, negatives="in_batch", batch_size=32, drop_remainder=True))
    steps = answer_selection_steps(encoded, batch_size=32, drop_remainder=True)
    start = time.perf_counter()
    trainer.fit(dataset, steps_per_epoch=settings.size(steps, 2), epochs=settings.size(4, 1), verbose=0)
    trained = time.perf_counter() - start
    vectors = model.encode_answers(encoded.answer_ids)["vector"]
    questions = model.encode_questions(encode_texts(read_med_quad("test").questions, tokenizer, 24))["vector"]
    note = (
        f"Vectors of {len(vectors):,} answers of QA-CNN trained for {trained:.0f} s on the embedded MedQuAD, "
        f"{vectors.shape[1]} dimensions, repeated with noise of {NOISE} of their length; questions of the test part"
    )
    return vectors, questions, [note]


def repeated(vectors, count, seed=0):
    """Return `count` vectors: the given ones again and again, each copy with its own noise."""
    random, width = np.random.default_rng(seed), vectors.shape[1]
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    out = np.empty((count, width), "float32")
    for begin in range(0, count, len(unit)):
        part = out[begin : begin + len(unit)]
        part[:] = unit[: len(part)] + random.normal(size=part.shape).astype("float32") * (NOISE / np.sqrt(width))
    return out


def one_by_one(search, questions):
    """Return a callable that asks questions singly and returns the seconds of each."""

    def run():
        seconds = []
        for question in questions:
            start = time.perf_counter()
            search(question[None])
            seconds.append(time.perf_counter() - start)
        return seconds

    return run


def recall(search, expected, questions):
    """Return the share of the exact results that a search finds, asked singly."""
    return float(np.mean([np.isin(e, search(q[None])[0]).mean() for e, q in zip(expected, questions)]))


def million_row(vectors, questions, settings, notes):
    """Inverted lists beside reading every vector."""
    tuning, asked = questions[::2], questions[1::2][: settings.size(200, 5)]
    index = build_answer_index({"vector": vectors})
    start = time.perf_counter()
    tuned = index.make_approximate(TUNED_TO, questions=tuning, top_k=TOP_K)
    built = time.perf_counter() - start
    expected, _ = index.search(asked, TOP_K, approximate=False)
    found = recall(lambda q: index.search(q, TOP_K)[0], expected, asked)
    times = interleave(
        {
            "ours, inverted lists": one_by_one(lambda q: index.search(q, TOP_K), asked),
            "exact search of all": one_by_one(lambda q: index.search(q, TOP_K, approximate=False), asked[:20]),
        },
        2,
        warm_up=1,
    )
    ours, exact = times.values()
    notes = [
        *notes,
        f"Recall at {TOP_K}: {found:.3f} on questions not tuned on ({tuned:.3f} on the others); "
        f"{index.lists.probes} of {index.lists.index.nlist} lists read; built and tuned in {built:.0f} s; "
        f"99th percentile {ours.quantile(0.99) * 1e3:.2f} ms",
    ]
    return Row(
        f"search among {len(vectors):,} vectors, one question", ours, [exact], None, "5 ms at recall 0.95", notes
    )


def graph_row(vectors, questions, settings):
    """The libraries' graph indexes on fewer vectors, since building takes long; each at the least effort it needs."""
    asked = questions[: settings.size(200, 5)]
    index = build_answer_index({"vector": vectors})
    unit = np.ascontiguousarray(index.vectors)
    start = time.perf_counter()
    index.make_approximate(RECALL, questions=asked, top_k=TOP_K)
    notes = [f"ours: built and tuned in {time.perf_counter() - start:.0f} s"]
    expected, _ = index.search(asked, TOP_K, approximate=False)
    searches = {"ours, inverted lists": lambda q: index.search(q, TOP_K)[0]}
    for make in (_faiss_graph, _usearch_graph, _hnswlib_graph):
        try:
            start = time.perf_counter()
            name, search, set_effort = make(unit)
        except ImportError:
            continue
        built = time.perf_counter() - start
        for effort in (16, 32, 64, 128, 256, 512):
            set_effort(effort)
            if recall(search, expected, asked) >= RECALL:
                break
        searches[name] = search
        notes.append(f"{name}: built in {built:.0f} s; effort {effort}")
    notes += [f"{name}: recall {recall(search, expected, asked):.3f}" for name, search in searches.items()]
    times = interleave({name: one_by_one(search, asked) for name, search in searches.items()}, 2, warm_up=1)
    ours, *others = times.values()
    return Row(f"search among {len(vectors):,} vectors, one question", ours, others, None, "", notes)


def _normal(questions):
    return np.ascontiguousarray(questions / np.linalg.norm(questions, axis=1, keepdims=True), "float32")


def _faiss_graph(unit):
    import faiss

    graph = faiss.IndexHNSWFlat(unit.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = 80
    graph.add(unit)
    return "faiss HNSW", lambda q: graph.search(_normal(q), TOP_K)[1], lambda n: setattr(graph.hnsw, "efSearch", n)


def _usearch_graph(unit):
    from usearch.index import Index

    graph = Index(ndim=unit.shape[1], metric="ip", dtype="f32", connectivity=32, expansion_add=80)
    graph.add(np.arange(len(unit)), unit, threads=2)
    return (
        "usearch",
        lambda q: np.atleast_2d(graph.search(_normal(q)[0], TOP_K).keys.astype("int64")),
        lambda n: setattr(graph, "expansion_search", n),
    )


def _hnswlib_graph(unit):
    import hnswlib

    graph = hnswlib.Index("ip", unit.shape[1])
    graph.init_index(len(unit), ef_construction=80, M=32)
    graph.add_items(unit, num_threads=2)
    return "hnswlib", lambda q: graph.knn_query(_normal(q), TOP_K)[0].astype("int64"), graph.set_ef


def words_row(settings):
    """BM25 through our face beside `bm25s` called directly."""
    import bm25s

    texts = list(read_med_quad("train").answers)
    texts = (texts * (settings.size(50_000, 50) // len(texts) + 1))[: settings.size(50_000, 50)]
    questions = list(read_med_quad("test").questions)[: settings.size(100, 3)]
    ours, peer = BM25(texts), bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    peer.index(bm25s.tokenize(texts, stopwords=None, show_progress=False), show_progress=False)

    def directly(question):
        tokens = bm25s.tokenize([question], stopwords=None, show_progress=False)
        return peer.retrieve(tokens, k=TOP_K, show_progress=False)

    def timed(search):
        def run():
            seconds = []
            for question in questions:
                start = time.perf_counter()
                search(question)
                seconds.append(time.perf_counter() - start)
            return seconds

        return run

    times = interleave(
        {"ours": timed(lambda q: ours.search(q, TOP_K)), "bm25s directly": timed(directly)}, 2, warm_up=1
    )
    return Row(f"BM25 among {len(texts):,} answers, one question", times["ours"], [times["bm25s directly"]])
