"""The local server as a command, with the stock server's flags."""

import re
import signal
import subprocess
import sys
import urllib.request

import pytest

from keras_attention.serving import GrpcClient, RestClient
from keras_attention.serving.__main__ import main

PATIENT = 300.0


def test_it_serves_until_it_is_told_to_stop(toy_folder, tmp_path):
    config, batching, answers = tmp_path / "models.config", tmp_path / "batching.config", tmp_path / "answers.txt"
    config.write_text(
        "model_config_list {"
        f' config {{ name: "translator" base_path: "{toy_folder / "translator"}" model_version_policy {{ all {{}} }} }}'
        f' config {{ name: "selector" base_path: "{toy_folder / "selector"}" }} }}'
    )
    batching.write_text("max_batch_size { value: 4 }")
    answers.write_text("one answer\n\nanother\n")
    command = [sys.executable, "-m", "keras_attention.serving", "--port=0", "--rest_api_port=0", "--enable_batching"]
    command += [f"--model_config_file={config}", f"--batching_parameters_file={batching}"]
    command += ["--rest_api_timeout_in_ms=300000"]
    process = subprocess.Popen([*command, f"--answers=selector={answers}"], stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        assert "For development only" in line
        rest, grpc = re.search(r"Page: (http://\S+)/ ", line)[1], re.search(r"gRPC: (\S+)", line)[1]
        assert RestClient(rest, "translator", 1).predict_rows(["abc"], timeout=PATIENT)[0]["translation"] == "ABC"
        with GrpcClient(grpc, "translator") as client:
            assert client.predict({"text": ["abc"]}, timeout=PATIENT)["translation"] == [b"cba"]
        with urllib.request.urlopen(rest + "/page/models") as response:
            assert b'"one answer", "another"' in response.read()
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENT) == 0


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        (["--model_base_path=nowhere"], "with versions []"),
        (["--model_config_file=nowhere"], "nowhere"),
        (["--model_base_path=nowhere", "--answers=x"], "MODEL=FILE"),
    ],
)
def test_errors_are_one_line(arguments, complaint, capsys):
    assert main([*arguments, "--port=0", "--rest_api_port=0"]) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [[], ["--model_base_path=a", "--model_config_file=b"], ["--model_base_path=a", "--batching_parameters_file=b"]],
)
def test_flags_that_do_not_go_together(arguments, capsys):
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 2
    assert "error" in capsys.readouterr().err


def test_a_taken_port_is_said(plain_server, toy_folder, capsys):
    for flag, address in (("--rest_api_port", plain_server.rest_address), ("--port", plain_server.grpc_address)):
        other = "--port=0" if flag == "--rest_api_port" else "--rest_api_port=0"
        folder = f"--model_base_path={toy_folder / 'selector'}"
        assert main([folder, other, f"{flag}={address.rsplit(':', 1)[1]}"]) == 2
        assert "Error" in capsys.readouterr().err
