"""Tiny models whose every output can be listed: logits and weights come from tables indexed by the whole prefix."""

import itertools

import numpy as np
import pytest
from keras import ops

from keras_attention.decoding.slots import flat_slots, gather_slots

PAD, UNKNOWN, START, END = 0, 1, 2, 3


class TableModel:
    """A step function that looks up its logits by sentence and by everything said so far.

    The state numbers the prefix: -1 before the start symbol, 0 after it, then `state * V + token + 1`, which is
    different for different prefixes. With tokens 1, 4, 5 ... and END to choose from, every output can be enumerated.
    """

    def __init__(self, seed=0, batch=3, vocabulary=5, source=3, depth=4, scale=2.0):
        random = np.random.default_rng(seed)
        self.vocabulary, self.batch, self.source = vocabulary, batch, source
        prefixes = sum(vocabulary**n for n in range(depth))
        self.logits = (scale * random.normal(size=(batch, prefixes, vocabulary))).astype("float32")
        self.mask = np.arange(source) < random.integers(1, source + 1, size=(batch, 1))
        weights = random.uniform(size=(batch, prefixes, source)) ** 4 * self.mask[:, None]
        self.weights = (weights / weights.sum(-1, keepdims=True)).astype("float32")

    def rows(self, order):
        """Return the same model for some of its sentences."""
        other = object.__new__(TableModel)
        other.__dict__.update(self.__dict__, batch=len(order))
        other.logits, other.weights, other.mask = self.logits[order], self.weights[order], self.mask[order]
        return other

    @property
    def memory(self):
        return {"logits": ops.convert_to_tensor(self.logits), "weights": ops.convert_to_tensor(self.weights)}

    @property
    def state(self):
        return {"prefix": ops.full((self.batch, 1), -1, dtype="int32")}

    def step(self, token_ids, state, memory):
        prefix = state["prefix"]
        prefix = ops.where(prefix < 0, 0, prefix * self.vocabulary + token_ids + 1)
        found = []
        for name in ("logits", "weights"):
            table = memory[name]
            # Beyond the table's depth, where only dead slots go, any row will do.
            row = ops.minimum(ops.maximum(prefix, 0), ops.shape(table)[1] - 1)
            found.append(gather_slots(table, flat_slots(row, ops.shape(table)[1])))
        return found[0], {"prefix": prefix}, found[1]

    def step_without_weights(self, token_ids, state, memory):
        return (*self.step(token_ids, state, memory)[:2], None)

    def log_softmax(self, sentence, prefix):
        code = 0
        for token in prefix:
            code = code * self.vocabulary + token + 1
        logits = self.logits[sentence, code].astype("float64")
        return logits - np.log(np.exp(logits).sum()), self.weights[sentence, code].astype("float64")

    def tokens(self, forbidden=()):
        """Return the tokens that continue an output."""
        return [t for t in range(self.vocabulary) if t not in (PAD, START, END, *forbidden)]

    def output_count(self, maximum_length, forbidden=()):
        m = len(self.tokens(forbidden))
        return sum(m**n for n in range(maximum_length)) + m**maximum_length

    def score(self, sentence, output, alpha=0.0, beta=0.0):
        """Return (score, log-probability) of one output, by the formula, in float64."""
        total, coverage = 0.0, np.zeros(self.source)
        for i, token in enumerate(output):
            log_probabilities, weights = self.log_softmax(sentence, output[:i])
            total += log_probabilities[token]
            coverage += weights
        penalty = np.log(np.clip(coverage, 1e-9, 1.0))[self.mask[sentence]].sum()
        return total / ((5 + len(output)) / 6) ** alpha + beta * penalty, total

    def outputs(self, sentence, maximum_length, alpha=0.0, beta=0.0, forbidden=()):
        """Return all outputs with their scores, best first: [(score, log-probability, tokens)]."""
        tokens = self.tokens(forbidden)
        found = [(*p, END) for n in range(maximum_length) for p in itertools.product(tokens, repeat=n)]
        found += list(itertools.product(tokens, repeat=maximum_length))
        scored = [(*self.score(sentence, output, alpha, beta), output) for output in found]
        return sorted(scored, key=lambda item: -item[0])


@pytest.fixture
def table_model():
    return TableModel


@pytest.fixture
def as_numpy():
    def convert(result):
        return {k: None if v is None else ops.convert_to_numpy(v) for k, v in result.items()}

    return convert


@pytest.fixture
def cut():
    """Cut padding off: a row of ids to a tuple of tokens."""

    def cut(token_ids, length):
        assert not np.any(token_ids[length:])
        return tuple(int(t) for t in token_ids[:length])

    return cut
