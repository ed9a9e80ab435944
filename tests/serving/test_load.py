"""The load test: what it sends, and that it runs."""

import importlib.util

import pytest

from benchmarks.serving.__main__ import main, request_bodies
from keras_attention.serving import LocalServer, RestClient


@pytest.mark.parametrize(
    "name, inputs", [("translator", {"text"}), ("selector", {"question", "answer"}), ("index", {"question"})]
)
def test_what_is_sent_follows_from_the_signature(toy_folder, name, inputs):
    with LocalServer({"default": toy_folder / name}) as server:
        bodies = request_bodies(server.rest_address)
        assert len(bodies) > 1
        assert all(set(instance) == inputs for body in bodies for instance in body["instances"])
        for body in bodies:
            answers = RestClient(server.rest_address, "default").predict_rows(body["instances"], timeout=300)
            assert len(answers) == len(body["instances"])


@pytest.mark.extended
@pytest.mark.skipif(importlib.util.find_spec("locust") is None, reason="locust comes with the extra 'load'")
def test_it_runs(toy_folder, capsys):
    main(["--model_base_path", str(toy_folder / "translator"), "--users", "2", "--seconds", "5"])
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    header, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    rows = [dict(zip(header, row)) for row in rows]
    assert [row["requests"] for row in rows] == ["alone", "batched"]
    for row in rows:
        assert int(row["sent"]) > 0
        assert int(row["failed"]) == 0
        assert float(row["50% ms"]) <= float(row["99% ms"])
