"""Beam search against the list of all outputs of tiny models, and against a beam written as plain loops."""

import numpy as np
import pytest
from keras import ops

from keras_attention.decoding import beam_search, greedy_decode

PAD, UNKNOWN, START, END = 0, 1, 2, 3


def search(model, **kwargs):
    kwargs = {"start_id": START, "end_id": END, "source_mask": model.mask, **kwargs}
    return beam_search(model.step, model.state, model.memory, **kwargs)


def slow_beam(model, sentence, width, limit, alpha, beta):
    """The documented beam, one hypothesis at a time and with no early stop: [(score, log-probability, tokens)]."""
    live, frozen = [((), 0.0)], []
    while live:
        candidates = []
        for tokens, total in live:
            log_probabilities, _ = model.log_softmax(sentence, tokens)
            candidates += [((*tokens, t), total + log_probabilities[t]) for t in [*model.tokens(), END]]
        candidates.sort(key=lambda c: -c[1])
        live = []
        for tokens, total in candidates[: width - len(frozen)]:
            (frozen if tokens[-1] == END or len(tokens) == limit else live).append((tokens, total))
    scored = [(*model.score(sentence, tokens, alpha, beta), tokens) for tokens, _ in frozen]
    return sorted(scored, key=lambda item: -item[0])


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0, 2.5])
@pytest.mark.parametrize("beta", [0.0, 0.3])
@pytest.mark.parametrize("vocabulary,maximum_length", [(4, 4), (5, 3), (5, 4), (6, 1), (6, 3)])
def test_a_beam_as_wide_as_the_space_finds_the_true_best(
    table_model, as_numpy, cut, alpha, beta, vocabulary, maximum_length
):
    model = table_model(seed=vocabulary + maximum_length, batch=16, vocabulary=vocabulary)
    count = model.output_count(maximum_length)
    for n_best in {1, 2, count}:
        result = as_numpy(
            search(
                model,
                beam_width=count,
                n_best=n_best,
                maximum_length=maximum_length,
                length_normalization=alpha,
                coverage_penalty=beta,
            )
        )
        for b in range(model.batch):
            expected = model.outputs(b, maximum_length, alpha, beta)[:n_best]
            found = [cut(result["token_ids"][b, n], result["lengths"][b, n]) for n in range(n_best)]
            assert found == [tokens for *_, tokens in expected]
            np.testing.assert_allclose(result["scores"][b], [s for s, *_ in expected], rtol=1e-5, atol=1e-5)
            np.testing.assert_allclose(
                result["log_probabilities"][b], [p for _, p, _ in expected], rtol=1e-5, atol=1e-5
            )
            assert result["finished"][b].tolist() == [tokens[-1] == END for *_, tokens in expected]


def test_the_wide_beam_test_meets_overtaken_and_cut_hypotheses(table_model):
    """The proof above means little unless longer outputs overtake, and outputs without end symbol win."""
    model = table_model(seed=9, batch=16, vocabulary=5)
    plain = [model.outputs(b, 4, 0.0)[0][2] for b in range(16)]
    normed = [model.outputs(b, 4, 2.5)[0][2] for b in range(16)]
    covered = [model.outputs(b, 4, 2.5, 0.3)[0][2] for b in range(16)]
    assert any(len(a) < len(b) for a, b in zip(plain, normed))
    assert any(a != b for a, b in zip(normed, covered))
    assert any(a[-1] != END for a in normed)
    assert any(a[-1] == END for a in normed)


def test_a_finished_hypothesis_is_overtaken_under_length_normalization_and_the_search_waits_for_it():
    """By hand: END at once has 0.5; going on has 0.5, then nothing is lost: 0.5 at length 4 norms to a higher score.

    With alpha 1: log .5 / 1 = -.69 against log .5 / (9 / 6) = -.46.
    """
    table = np.full((6, 6), 1e-9, "float32")
    table[START, [END, 4]] = 0.501, 0.499
    table[4, 5] = 1.0
    table[5, 5] = 1.0
    logits = ops.log(ops.convert_to_tensor(table))

    def step(token_ids, state, memory):
        return ops.take(logits, token_ids, axis=0), state, None

    def best(**kwargs):
        result = beam_search(
            step, {}, None, batch_size=1, start_id=START, end_id=END, maximum_length=4, beam_width=2, **kwargs
        )
        return ops.convert_to_numpy(result["token_ids"])[0, 0].tolist(), float(result["scores"][0, 0])

    tokens, score = best()
    assert tokens == [END, 0, 0, 0]
    assert score == pytest.approx(np.log(0.501), abs=1e-4)
    tokens, score = best(length_normalization=1.0)
    assert tokens == [4, 5, 5, 5]
    assert score == pytest.approx(np.log(0.499) * 6 / 9, abs=1e-4)
    assert best(length_normalization=1.0, early_stopping=True)[0] == [END, 0, 0, 0]


@pytest.mark.parametrize("width", [1, 2, 3, 5])
@pytest.mark.parametrize("alpha,beta", [(0.0, 0.0), (0.8, 0.0), (2.0, 0.4)])
def test_narrow_beams_equal_the_slow_beam(table_model, as_numpy, cut, width, alpha, beta):
    model = table_model(seed=3, batch=12, vocabulary=6, scale=1.0)
    limits = np.arange(12) % 4 + 1
    result = as_numpy(
        search(
            model,
            beam_width=width,
            n_best=width,
            maximum_length=limits,
            length_normalization=alpha,
            coverage_penalty=beta,
        )
    )
    for b in range(12):
        expected = slow_beam(model, b, width, limits[b], alpha, beta)
        for n in range(width):
            if n < len(expected):
                assert cut(result["token_ids"][b, n], result["lengths"][b, n]) == expected[n][2]
                np.testing.assert_allclose(result["scores"][b, n], expected[n][0], rtol=1e-5, atol=1e-5)
            else:
                assert result["lengths"][b, n] == 0
                assert result["scores"][b, n] == -np.inf
                assert result["log_probabilities"][b, n] == -np.inf
                assert not result["finished"][b, n]


@pytest.mark.parametrize("alpha,beta", [(0.0, 0.0), (1.0, 0.0), (3.0, 1.0)])
def test_a_beam_of_one_is_greedy(table_model, as_numpy, alpha, beta):
    model = table_model(seed=5, batch=20, vocabulary=6)
    limits = np.arange(20) % 4 + 1
    beam = as_numpy(
        search(
            model,
            beam_width=1,
            maximum_length=limits,
            length_normalization=alpha,
            coverage_penalty=beta,
            return_alignment=True,
        )
    )
    greedy = as_numpy(
        greedy_decode(
            model.step,
            model.state,
            model.memory,
            start_id=START,
            end_id=END,
            maximum_length=limits,
            source_mask=model.mask,
            return_alignment=True,
        )
    )
    for name in ("token_ids", "lengths", "finished", "log_probabilities", "alignment"):
        np.testing.assert_array_equal(beam[name], greedy[name], err_msg=name)


def test_the_n_best_are_the_best_and_one_of_them_is_the_first(table_model, as_numpy):
    """The exact stop depends on N; what comes first does not."""
    model = table_model(seed=11, batch=10, vocabulary=6)
    kwargs = {"beam_width": 4, "maximum_length": 4, "length_normalization": 1.5}
    results = [as_numpy(search(model, n_best=n, **kwargs)) for n in (1, 2, 4)]
    for result, n in zip(results, (1, 2, 4)):
        np.testing.assert_array_equal(result["token_ids"], results[-1]["token_ids"][:, :n])
        np.testing.assert_array_equal(result["scores"], results[-1]["scores"][:, :n])
    assert (np.diff(results[-1]["scores"], axis=1) <= 0).all()


def same(a, b, name):
    """Decisions are equal; floats to the last bits, since kernels treat the ends of an array differently."""
    if a.dtype.kind == "f":
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6, err_msg=name)
    else:
        np.testing.assert_array_equal(a, b, err_msg=name)


def test_neighbours_and_their_order_change_nothing(table_model, as_numpy):
    model = table_model(seed=7, batch=8, vocabulary=6)
    limits = np.array([4, 1, 3, 2, 4, 4, 2, 3])
    kwargs = {"beam_width": 3, "n_best": 3, "length_normalization": 0.7, "coverage_penalty": 0.2, "output_length": 4}
    kwargs["return_alignment"] = True
    whole = as_numpy(search(model, maximum_length=limits, **kwargs))
    order = np.random.default_rng(0).permutation(8)
    turned = as_numpy(search(model.rows(order), maximum_length=limits[order], **kwargs))
    for name in whole:
        same(turned[name], whole[name][order], name)
    for b in range(8):
        alone = as_numpy(search(model.rows([b]), maximum_length=int(limits[b]), **kwargs))
        for name in whole:
            same(alone[name][0], whole[name][b], name)


def test_alignment_follows_the_hypothesis_through_the_beam(table_model, as_numpy):
    model = table_model(seed=13, batch=8, vocabulary=6, scale=0.7)
    result = as_numpy(
        search(model, beam_width=5, n_best=5, maximum_length=4, length_normalization=1.0, return_alignment=True)
    )
    for b in range(8):
        for n in range(5):
            length = result["lengths"][b, n]
            tokens = result["token_ids"][b, n]
            expected = [model.log_softmax(b, tokens[:i])[1] for i in range(length)]
            np.testing.assert_allclose(result["alignment"][b, n, :length], expected, rtol=1e-6)
            assert not result["alignment"][b, n, length:].any()


def test_ties_go_to_the_lower_slot_and_the_lower_id(as_numpy):
    """All tokens alike: after one step the slots hold END, 1 (unknown is allowed), 4; of equal children the first."""

    def step(token_ids, state, memory):
        return ops.zeros((*ops.shape(token_ids), 6), dtype="float32"), state, None

    result = as_numpy(
        beam_search(step, {}, None, batch_size=2, start_id=START, end_id=END, maximum_length=2, beam_width=3, n_best=3)
    )
    for b in range(2):
        assert result["token_ids"][b].tolist() == [[END, 0], [1, 1], [1, END]]


def test_forbidden_ids_are_never_generated_but_keep_their_share_of_probability(table_model, as_numpy, cut):
    model = table_model(seed=17, batch=6, vocabulary=6)
    model.logits[..., [PAD, START, UNKNOWN]] += 5.0
    count = model.output_count(3, forbidden=(UNKNOWN,))
    result = as_numpy(search(model, beam_width=count, n_best=count, maximum_length=3, forbidden_ids=(UNKNOWN,)))
    for b in range(6):
        expected = model.outputs(b, 3, forbidden=(UNKNOWN,))
        found = [cut(result["token_ids"][b, n], result["lengths"][b, n]) for n in range(count)]
        assert found == [tokens for *_, tokens in expected]
        np.testing.assert_allclose(result["scores"][b], [s for s, *_ in expected], rtol=1e-5)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_the_loop_ends_when_all_have_ended(alpha):
    """The model says 4, 4, END with near certainty: three steps, whatever the maximum."""
    table = np.full((2000, 6), -20.0, "float32")
    table[[0, 1], 4] = 0.0
    table[2:, END] = 0.0
    table = ops.convert_to_tensor(table)
    steps = []

    def step(token_ids, state, memory):
        steps.append(1)
        return ops.take(table, state, axis=0), state + 1, None

    result = beam_search(
        step,
        ops.zeros((2, 1), dtype="int32"),
        None,
        start_id=START,
        end_id=END,
        maximum_length=1000,
        beam_width=4,
        length_normalization=alpha,
    )
    assert ops.convert_to_numpy(result["lengths"]).tolist() == [[3], [3]]
    assert len(steps) <= 12


def test_a_limit_of_zero_gives_an_empty_output(table_model, as_numpy):
    model = table_model(seed=1, batch=2)
    result = as_numpy(search(model, maximum_length=np.array([0, 3]), beam_width=2, n_best=2))
    assert result["lengths"][0].tolist() == [0, 0]
    assert result["scores"][0].tolist() == [0.0, -np.inf]
    assert not result["token_ids"][0].any()
    assert result["lengths"][1, 0] > 0


def test_an_empty_batch_gives_empty_results(table_model, as_numpy):
    model = table_model().rows([])
    for limit in (4, np.zeros((0,), "int32")):
        result = as_numpy(search(model, maximum_length=limit, beam_width=3, n_best=2, return_alignment=True))
        assert result["token_ids"].shape[:2] == (0, 2)
        assert result["scores"].shape == (0, 2)
        assert result["alignment"].shape[:2] == (0, 2)


@pytest.mark.parametrize(
    "change,message",
    [
        ({"beam_width": 0}, "beam_width=0"),
        ({"beam_width": 2.5}, "beam_width=2.5"),
        ({"n_best": 4}, "n_best=4, beam_width=3"),
        ({"length_normalization": -0.1}, "length_normalization=-0.1"),
        ({"coverage_penalty": float("nan")}, "coverage_penalty=nan"),
        ({"coverage_penalty": 0.1, "source_mask": None}, "source_mask"),
        ({"return_alignment": True, "source_mask": None}, "source_mask"),
        ({"maximum_length": 0}, "maximum_length=0"),
        ({"maximum_length": 2.0}, "maximum_length=2.0"),
        ({"maximum_length": np.ones((3, 1), "int32")}, r"shape=\(3, 1\)"),
        ({"output_length": 0}, "output_length=0"),
        ({"end_id": START}, "end_id=2"),
        ({"end_id": 0}, "end_id=0"),
        ({"forbidden_ids": (END,)}, "forbidden_ids"),
    ],
)
def test_bad_arguments_are_named(table_model, change, message):
    with pytest.raises(ValueError, match=message):
        search(table_model(), **{"beam_width": 3, "maximum_length": 3, **change})


def test_what_needs_weights_says_so(table_model):
    model = table_model()
    for option in ({"coverage_penalty": 0.1}, {"return_alignment": True}):
        with pytest.raises(ValueError, match=f"{next(iter(option))}.*gave none"):
            beam_search(
                model.step_without_weights,
                model.state,
                model.memory,
                start_id=START,
                end_id=END,
                maximum_length=3,
                source_mask=model.mask,
                **option,
            )


def test_states_of_wrong_shape_are_refused(table_model):
    model = table_model()

    def run(step, state):
        beam_search(step, state, model.memory, start_id=START, end_id=END, maximum_length=3, beam_width=2)

    with pytest.raises(ValueError, match=r"\(batch, 1, ...\)"):
        run(model.step, {"prefix": ops.full((3, 2), -1, dtype="int32")})

    def wrong_dtype(token_ids, state, memory):
        logits, state, weights = model.step(token_ids, state, memory)
        return logits, {"prefix": ops.cast(state["prefix"], "float32")}, weights

    with pytest.raises(ValueError, match="shape and dtype"):
        run(wrong_dtype, model.state)
