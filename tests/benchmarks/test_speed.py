"""The benchmarks measure equal work: ours and the peer give the same numbers from the same weights."""

import json

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from benchmarks.speed import answer_selection, decoder, decoding, encoder, training_step, translators  # noqa: E402
from benchmarks.speed.__main__ import GROUPS, main  # noqa: E402
from benchmarks.speed.measure import Floor, Row, Timing, interleave, print_table  # noqa: E402
from benchmarks.speed.settings import Settings  # noqa: E402
from benchmarks.speed.sizes import TINY  # noqa: E402

SETTINGS = Settings(tiny=True, rounds=2, compile_peers=False)


def test_timings_are_interleaved():
    order = []
    times = interleave({name: lambda name=name: order.append(name) for name in "ab"}, rounds=3, warm_up=1)
    assert order == ["a", "b", "a", "b", "b", "a", "a", "b"]
    assert [len(t.seconds) for t in times.values()] == [3, 3]


def test_a_run_may_time_itself():
    times = interleave({"itself": lambda: [1.0, 2.0], "by the clock": lambda: ["a", "list", "of strings"]}, rounds=2)
    assert times["itself"].seconds == (1.0, 2.0, 1.0, 2.0)
    assert len(times["by the clock"].seconds) == 2
    assert max(times["by the clock"].seconds) < 1.0


def test_a_row_has_ratio_spread_and_share_of_the_floor(capsys):
    floor = Floor()
    floor.seconds, floor.lines = 0.5, ["1 x product"]
    peers = [Timing("peer", (3.0, 3.0, 2.0))]
    row = Row("work", Timing("ours", (1.0, 2.0, 1.0)), peers, floor, per_second=(10, "items"))
    found = row.as_dict()
    assert found["peers"][0]["ratio"] == 2.0
    assert found["peers"][0]["ratio_range"] == [1.75, 2.5]  # of 3, 1.5 and 2
    assert found["share_of_floor"] == 0.5
    assert found["per_second"] == [10.0, "items"]
    print_table("t", [row])
    printed = capsys.readouterr().out
    assert "2.00 (1.75-2.50)" in printed
    assert "50%" in printed
    assert "10.0 items/s" in printed
    assert "1 x product" in printed


def test_a_ratio_without_rounds_in_common_is_that_of_the_medians():
    row = Row("work", Timing("ours", (1.0, 2.0, 1.0)), [Timing("peer", (3.0, 5.0))])
    found = row.as_dict()["peers"][0]
    assert (found["ratio"], found["ratio_range"]) == (4.0, None)


def test_the_floor_adds_up():
    floor = Floor().product(2, 3, 4, count=5).elements("tanh", 6)
    assert floor.seconds > 0
    assert "5 x product (2, 3) (3, 4): 0.00 GFLOP" in floor.lines[0]
    assert floor.seconds == 5 * Floor._rates["product", 1, 2, 3, 4] + Floor._rates["tanh", 6]


@pytest.mark.parametrize("reset_after", [False, True])
def test_decoder_equals_pytorch(reset_after):
    torch = pytest.importorskip("torch")
    from benchmarks.speed.torch_rnn_search import TorchAttentionGRU, copy_decoder

    arrays = decoder.make_arrays(TINY)
    layer = decoder.make_layer(TINY, reset_after=reset_after)
    peer = TorchAttentionGRU(TINY.embedding, 2 * TINY.encoder_units, TINY.units, TINY.attention_units, reset_after)
    copy_decoder(layer, peer)
    embeddings, annotations, state = arrays
    ours = layer([embeddings, annotations], initial_state=state)
    for a, b in zip(ours, peer(*(torch.from_numpy(x) for x in arrays))):
        np.testing.assert_allclose(a, b.detach().numpy(), atol=1e-5)


def test_decoder_loss_equals_pytorch():
    pytest.importorskip("torch")
    layer, arrays = decoder.make_layer(TINY), decoder.make_arrays(TINY)
    expected = decoder.gradients(layer, arrays)()
    for run in decoder.torch_runs(layer, arrays, TINY, compiled=False).values():
        assert run() == pytest.approx(float(expected), rel=1e-5)


def test_encoder_loss_equals_pytorch():
    pytest.importorskip("torch")
    sequences = np.random.default_rng(0).normal(size=(3, 5, TINY.embedding)).astype("float32")
    from keras_attention.layers import FusedGRU

    layer = encoder.make_encoder(TINY, FusedGRU)
    (run,) = encoder.torch_run(layer, sequences, TINY).values()
    assert run() == pytest.approx(float(encoder.gradients(layer, sequences)()), rel=1e-5)


def test_first_training_losses_equal_pytorch():
    torch = pytest.importorskip("torch")
    from benchmarks.speed.torch_rnn_search import copy_weights
    from benchmarks.speed.torch_training import make_training_step
    from keras_attention.losses import TokenCrossEntropy

    model, peer = training_step.make_model(TINY), training_step.make_peer(TINY)
    copy_weights(model, peer)
    inputs, labels, weights = training_step.make_batch(TINY)
    step = make_training_step(
        peer, [torch.from_numpy(x).long() for x in inputs.values()], torch.from_numpy(labels).long()
    )
    expected = float(TokenCrossEntropy()(labels, model(inputs), weights))
    losses = [float(step()) for _ in range(5)]
    assert losses[0] == pytest.approx(expected, rel=1e-5)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("options", [{}, {"beam_width": 5, "length_normalization": 1.0}], ids=["greedy", "beam"])
def test_translations_equal_pytorch(options):
    pytest.importorskip("torch")
    translator, sentences = translators.open_translator(SETTINGS)
    expected = translator.translate(sentences, batch_size=decoding.BATCH, **options)
    assert len(set(expected)) > 1
    (run,) = decoding.torch_runs(translator, sentences, options).values()
    assert run() == expected


def test_greedy_translations_equal_kerashub():
    pytest.importorskip("keras_hub")
    translator, sentences = translators.open_translator(SETTINGS)
    (run,) = decoding.keras_hub_runs(translator, sentences, {}).values()
    # KerasHub knows one limit for the whole batch: outputs are equal as far as ours reach.
    for ours, theirs in zip(translator.translate(sentences), run()):
        assert theirs.startswith(ours)


def test_answer_selection_equals_pytorch():
    torch = pytest.importorskip("torch")
    model = answer_selection.make_model(SETTINGS)
    peer = answer_selection.make_peer(model)
    questions, answers, _ = answer_selection.make_batch(SETTINGS, "in_batch", model)
    ours = model.in_batch_model({"question_ids": questions, "answer_ids": answers})
    theirs = peer.all_pairs(*(torch.from_numpy(x).long() for x in (questions, answers)))
    np.testing.assert_allclose(ours, theirs.detach().numpy(), atol=1e-5)
    questions, answers, _ = answer_selection.make_batch(SETTINGS, "hardest", model)
    ours = model({"question_ids": questions, "answer_ids": answers})
    theirs = peer.candidates(*(x for ids in (questions, answers) for x in peer.encode(torch.from_numpy(ids).long())))
    np.testing.assert_allclose(ours, theirs.detach().numpy(), atol=1e-5)


def test_an_unknown_group_is_refused():
    with pytest.raises(SystemExit):
        main(["--only", "nothing"])


@pytest.mark.extended
@pytest.mark.parametrize("group", GROUPS)
def test_every_group_runs_alone(group, tmp_path):
    options = ["--tiny", "--no-compile", "--json", str(tmp_path / "r.json"), "--picture", str(tmp_path / "p.png")]
    main(["--only", group, *options])
    rows = json.loads((tmp_path / "r.json").read_text())["groups"][group]
    assert rows
    assert all(row["ours"]["median_seconds"] > 0 for row in rows)
    assert (tmp_path / "p.png").exists() == (group == "growth")
