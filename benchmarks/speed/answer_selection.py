"""Answer selection: training questions per second, ranked pairs per second, answers indexed per second."""

import time

import keras
import numpy as np
import tensorflow as tf

from benchmarks.speed.measure import Floor, Row, best_of, interleave
from benchmarks.speed.training_step import _StepClock, timed_steps
from keras_attention.losses import InBatchSoftmaxLoss, TripletMarginLoss
from keras_attention.models import APCNN, QACNN, APBiLSTM, QABiLSTM
from keras_attention.retrieval import build_answer_index
from keras_attention.training.adam import adam_class
from keras_attention.training.answer_selection_trainer import AnswerSelectionTrainer, with_labels

STEPS = 5


def rows(settings):
    """All rows, on random token ids with the lengths of consumer-health questions and answers."""
    return [*training_rows(settings), ranking_row(settings), *indexing_rows(settings)]


def make_model(settings):
    """Return AP-CNN of the paper's sizes."""
    keras.utils.set_random_seed(1)
    vocabulary, embedding, filters = settings.size((8000, 100, 400), (40, 6, 8))
    return APCNN(vocabulary, embedding_width=embedding, filters=filters)


def make_peer(model, score_scale=1.0):
    """Return the PyTorch model with the same weights."""
    from benchmarks.speed.torch_ap_cnn import TorchAPCNN, copy_weights

    encoder = model.sequence_encoder
    peer = TorchAPCNN(
        encoder.vocabulary_size, encoder.embedding_width, encoder.encoder.filters, score_scale=score_scale
    )
    copy_weights(model, peer)
    return peer


def random_ids(random, shape, vocabulary, shortest):
    """Return ids with rows of random lengths, padded on the right."""
    ids = random.integers(1, vocabulary, shape).astype("int32")
    lengths = random.integers(shortest, shape[-1] + 1, (*shape[:-1], 1))
    return np.where(np.arange(shape[-1]) < lengths, ids, 0).astype("int32")


def make_batch(settings, kind, model):
    """Return question ids, answer ids and labels of a training batch."""
    random = np.random.default_rng(0)
    vocabulary = model.sequence_encoder.vocabulary_size
    question_length, answer_length = settings.size((12, 128), (4, 7))
    batch, candidates = settings.size((32, 51), (4, 5)) if kind == "in_batch" else settings.size((20, 51), (3, 5))
    questions = random_ids(random, (batch, question_length), vocabulary, 3)
    if kind == "in_batch":
        answers, labels = random_ids(random, (batch, answer_length), vocabulary, answer_length // 2), np.eye(batch)
    else:
        answers = random_ids(random, (batch, candidates, answer_length), vocabulary, answer_length // 2)
        labels = np.eye(1, candidates).repeat(batch, 0)
    return questions, answers, labels.astype("float32")


def training_rows(settings):
    """In-batch wrong answers, and the hardest of 50 sampled ones."""
    result = []
    for kind, loss, what in (
        ("in_batch", InBatchSoftmaxLoss(0.05), "in-batch wrong answers"),
        ("hardest", TripletMarginLoss(0.5, "hardest"), "hardest of 50 sampled"),
    ):
        model = make_model(settings)
        batch = make_batch(settings, kind, model)
        runs = {
            f"ours, fit, {name}": fit_steps(make_model(settings), batch, loss, name == "XLA")
            for name in ("graph", "XLA")
        }
        runs.update(torch_training(make_model(settings), batch, kind))
        times = interleave(runs, settings.rounds)
        ours, others = best_of(times)
        questions, answers, _ = batch
        floor = training_floor(model, questions.shape, answers.shape)
        what = f"AP-CNN training step, {len(questions)} questions, {what}, answers of {answers.shape[-1]} tokens"
        result.append(Row(what, ours, others, floor, "50 % of floor", [], (len(questions), "questions")))
    return result


def fit_steps(model, batch, loss, jit_compile):
    """Return a callable that fits some steps and returns the seconds of each but the first."""
    questions, answers, labels = batch
    trainer = AnswerSelectionTrainer(model, hardest=1)
    trainer.compile(optimizer=adam_class()(1e-3, global_clipnorm=1.0), loss=loss, jit_compile=jit_compile)
    dataset = tf.data.Dataset.from_tensors(({"question_ids": questions, "answer_ids": answers}, labels))
    dataset = with_labels(dataset).cache().repeat().prefetch(2)
    clock = _StepClock()

    def run():
        clock.times.clear()
        trainer.fit(dataset, steps_per_epoch=STEPS, epochs=1, verbose=0, callbacks=[clock])
        return np.diff(clock.times).tolist()

    return run


def torch_training(model, batch, kind):
    """Return the same step in PyTorch."""
    try:
        import torch
    except ImportError:
        return {}
    from benchmarks.speed.torch_ap_cnn import hardest_step, in_batch_step

    questions, answers, _ = (torch.from_numpy(x) for x in batch)
    make = in_batch_step if kind == "in_batch" else hardest_step
    return {"PyTorch eager": timed_steps(make(make_peer(model), questions.long(), answers.long()), STEPS - 1)}


def training_floor(model, question_shape, answer_shape):
    """Convolutions, projections, scores and vectors: forward, and twice that backward where there is a gradient."""
    encoder = model.sequence_encoder
    inner, filters = encoder.encoder.window * encoder.embedding_width, encoder.encoder.filters
    batch, question_length = question_shape
    answer_length = answer_shape[-1]
    floor = Floor()
    question_tokens = batch * question_length
    if len(answer_shape) == 2:
        answer_tokens, pairs = batch * answer_length, batch * batch
        passes = [(question_tokens, answer_tokens, pairs, 3)]
    else:
        candidates = answer_shape[1]
        passes = [
            (question_tokens, batch * candidates * answer_length, batch * candidates, 1),
            (question_tokens, batch * 2 * answer_length, batch * 2, 3),
        ]
    for asked, answered, pairs, times in passes:
        floor.product(asked, inner, filters, count=times).product(answered, inner, filters, count=times)
        floor.product(asked, filters, filters, count=times)
        if len(answer_shape) == 2:
            floor.product(asked, filters, answered, count=times)
        else:
            floor.product(question_length, filters, answered // batch, count=times, batch=batch)
        floor.elements("maximum", pairs * question_length * answer_length, count=2)
    return floor


def ranking_row(settings):
    """Pools of 500 out of a collection in which an answer stands in 37 pools, as in InsuranceQA."""
    model, random = make_model(settings), np.random.default_rng(0)
    vocabulary = model.sequence_encoder.vocabulary_size
    questions, answers, pool = settings.size((110, 1500, 500), (6, 20, 8))
    question_length, answer_length = settings.size((12, 160), (4, 7))
    question_ids = random_ids(random, (questions, question_length), vocabulary, 4)
    answer_ids = random_ids(random, (answers, answer_length), vocabulary, answer_length // 4)
    pools = np.stack([random.permutation(answers)[:pool] for _ in range(questions)])
    # In order of length, as an index of answers is built.
    order = np.argsort(np.count_nonzero(answer_ids, axis=1), kind="stable")
    answer_ids = answer_ids[order]

    def ours():
        encoded = build_answer_index(model.encode_by_length(answer_ids)).encoded_answers()
        return model.score_pools(model.encode_questions(question_ids), encoded, pools)

    def per_pair(run, pairs):
        def timed():
            start = time.perf_counter()
            run()
            return [(time.perf_counter() - start) / pairs]

        return timed

    tiled_count = settings.size(2, 2)

    def tiled():
        """One pair a row, as one writes it with `predict` alone."""
        rows = [np.repeat(question_ids[i : i + 1], pool, 0) for i in range(tiled_count)]
        inputs = {
            "question_ids": np.concatenate(rows),
            "answer_ids": answer_ids[pools[:tiled_count]].reshape(-1, 1, answer_length),
        }
        return model.predict(inputs, batch_size=64, verbose=0).reshape(tiled_count, pool)

    runs = {"ours, encoding included": per_pair(ours, questions * pool)}
    runs["tiled model.predict"] = per_pair(tiled, tiled_count * pool)
    expected = tiled()
    notes = [f"Greatest difference from model.predict: {np.abs(ours()[:tiled_count] - expected).max():.1e}"]
    try:
        import torch
    except ImportError:
        pass
    else:
        from benchmarks.speed.torch_ap_cnn import score_pools

        peer = make_peer(model).eval()
        inputs = (torch.from_numpy(question_ids).long(), torch.from_numpy(answer_ids).long(), torch.from_numpy(pools))
        scores = score_pools(peer, *inputs).numpy()
        notes.append(
            f"PyTorch's greatest difference from model.predict: {np.abs(scores[:tiled_count] - expected).max():.1e}"
        )
        runs["PyTorch, both sides encoded once"] = per_pair(lambda: score_pools(peer, *inputs), questions * pool)
    times = interleave(runs, max(2, settings.rounds // 3), warm_up=1)
    ours_timing, others = best_of(times)
    notes.append(
        f"Seconds are per pair; {questions} questions, {answers} answers up to {answer_length} tokens, pools: {pool}"
    )
    floor = ranking_floor(model, question_ids, answer_ids, questions * pool)
    floor.seconds /= questions * pool
    return Row(
        "AP-CNN, ranked pairs",
        ours_timing,
        others,
        floor,
        "20 predict, 1.5 PyTorch, 50 % of floor",
        notes,
        (1, "pairs"),
    )


def ranking_floor(model, question_ids, answer_ids, pairs):
    """Real tokens only: each convolution once, one product an answer with all that ask it, two maxima, two sums."""
    encoder = model.sequence_encoder
    inner, filters = encoder.encoder.window * encoder.embedding_width, encoder.encoder.filters
    floor = Floor()
    question_tokens, answer_tokens = np.count_nonzero(question_ids), np.count_nonzero(answer_ids)
    asked = max(1, round(pairs / len(answer_ids) * question_tokens / len(question_ids)))
    length = round(answer_tokens / len(answer_ids))
    floor.product(int(answer_tokens), inner, filters).product(int(question_tokens), inner, filters)
    floor.product(int(question_tokens), filters, filters)
    floor.product(asked, filters, length, count=len(answer_ids))
    # The weighted sums: of the answer's tokens for all that ask it, of the question's tokens pair by pair.
    pairs_of_answer = max(1, round(pairs / len(answer_ids)))
    question_length = round(question_tokens / len(question_ids))
    floor.product(pairs_of_answer, length, filters, count=len(answer_ids))
    floor.product(1, question_length, filters, count=len(answer_ids), batch=pairs_of_answer)
    scored = pairs_of_answer * (length + question_length)
    for kind in ("tanh", "exp"):
        floor.elements(kind, scored, count=len(answer_ids))
    return floor.elements("maximum", asked * length, count=2 * len(answer_ids))


def indexing_rows(settings):
    """Encoding answers into an index, with each of the four models in the paper's sizes; AP-CNN beside PyTorch."""
    random = np.random.default_rng(0)
    count, length = settings.size((2048, 128), (20, 7))
    vocabulary, embedding, filters, units = settings.size((8000, 100, 400, 141), (40, 6, 8, 4))
    ids = random_ids(random, (count, length), vocabulary, length // 2)

    def index(model):
        return lambda: build_answer_index(model.encode_by_length(ids[i : i + 512]) for i in range(0, count, 512))

    others = {
        "QA-CNN": QACNN(vocabulary, embedding_width=embedding, filters=filters),
        "QA-biLSTM": QABiLSTM(vocabulary, embedding_width=embedding, units=units),
        "AP-biLSTM": APBiLSTM(vocabulary, embedding_width=embedding, units=units),
    }
    model = make_model(settings)
    runs = {"AP-CNN": index(model), **{name: index(other) for name, other in others.items()}}
    try:
        import torch
    except ImportError:
        pass
    else:
        peer, tensor = make_peer(model).eval(), torch.from_numpy(ids).long()

        def encode():
            with torch.inference_mode():
                return [[f[m] for f, m in zip(*peer.encode(tensor[i : i + 256]))] for i in range(0, count, 256)]

        runs["PyTorch, features of real tokens"] = encode
    times = interleave(runs, max(2, settings.rounds // 3), warm_up=1)
    floor = Floor().product(count * length, model.sequence_encoder.encoder.window * embedding, filters)
    rows = []
    for name in ("AP-CNN", *others):
        own = {key: value for key, value in times.items() if key == name or (name == "AP-CNN" and "PyTorch" in key)}
        own = {("ours" if key == name else key): value for key, value in own.items()}
        ours, peers = best_of(own)
        what = f"{name}, index of {count} answers of {length} tokens"
        rows.append(
            Row(what, ours, peers, floor if name == "AP-CNN" else None, "1,000 answers/s", [], (count, "answers"))
        )
    return rows
