"""The files of examples/*/serve: configurations, scripts and clients."""

import importlib
import os
import stat
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from keras_attention.serving import LocalServer, ModelConfig, read_batching_parameters, read_model_configs

EXAMPLES = Path(__file__).parents[2] / "examples"
TASKS = {"translation": "english_french", "answer_selection": "medquad_answers"}


@pytest.fixture(params=TASKS)
def task(request):
    return request.param


def test_the_configurations_are_those_of_the_stock_server(task):
    folder = EXAMPLES / task / "serve"
    (config,) = read_model_configs(folder / "models.config")
    assert config == ModelConfig(TASKS[task], f"/models/{TASKS[task]}", "all")  # absolute, as the server wants it
    parameters = read_batching_parameters(folder / "batching.config")
    assert parameters.max_batch_size > 1


def run_with_a_recorder(program, script, arguments, folder):
    """Run a script with a program of that name first on the PATH that writes its arguments down."""
    recorder = folder / program
    recorder.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$(dirname "$0")/arguments"\n')
    recorder.chmod(recorder.stat().st_mode | stat.S_IXUSR)
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run([str(script), *arguments], check=True, env=environment, cwd=folder)
    return (folder / "arguments").read_text().splitlines()


def test_the_command_line_of_the_stock_server(task, tmp_path):
    script = EXAMPLES / task / "serve" / "model_server.sh"
    arguments = run_with_a_recorder("tensorflow_model_server", script, ["--enable_batching"], tmp_path)
    assert arguments == [
        "--port=8500",
        "--rest_api_port=8501",
        f"--model_config_file={EXAMPLES / task / 'serve' / 'models.config'}",
        "--enable_batching",
    ]


def test_the_command_line_of_its_container(task, tmp_path):
    (tmp_path / "saved").mkdir()
    script = EXAMPLES / task / "serve" / "container.sh"
    arguments = run_with_a_recorder("docker", script, ["saved", "--enable_batching"], tmp_path)
    assert arguments[:2] == ["run", "--rm"]
    assert "127.0.0.1:8500:8500" in arguments
    assert f"type=bind,source={tmp_path / 'saved'},target=/models,readonly" in arguments
    image = next(i for i, argument in enumerate(arguments) if argument.startswith("tensorflow/serving:"))
    assert arguments[image + 1 :] == ["--model_config_file=/config/models.config", "--enable_batching"]
    assert (EXAMPLES / task / "serve" / "models.config").exists()  # what /config holds


def call(module, *arguments):
    app = importlib.import_module(f"examples.{module}").app
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(scope="module")
def example_server(toy_folder):
    models = {"english_french": toy_folder / "translator", "medquad_answers": toy_folder / "index"}
    with LocalServer(models) as server:
        yield server


def test_the_translation_clients(example_server):
    for client, address in (("grpc_client", example_server.grpc_address), ("rest_client", example_server.rest_address)):
        result = call(f"translation.serve.{client}", "abc", "été", "--address", address)
        assert (result.exit_code, result.output) == (0, "cba\nété\n")
    result = call("translation.serve.rest_client", "ab cd", "--alignment", "--address", example_server.rest_address)
    assert result.output == "dc ba\n  ba\tab\t1.00\n  dc\tcd\t1.00\n"


def test_the_answer_selection_clients(example_server):
    for client, address in (("grpc_client", example_server.grpc_address), ("rest_client", example_server.rest_address)):
        result = call(f"answer_selection.serve.{client}", "four", "a", "four", "--address", address)
        assert (result.exit_code, result.output) == (0, "1.000\tfour\n0.250\ta\n")
        result = call(f"answer_selection.serve.{client}", "seven !!", "--address", address)
        assert (result.exit_code, result.output) == (0, "1.000\tof seven\n0.200\tfour\n")


def test_an_error_is_one_line(example_server):
    for task, client, address in (
        ("translation", "grpc_client", example_server.grpc_address),
        ("answer_selection", "rest_client", example_server.rest_address),
    ):
        more = ["an answer"] if task == "answer_selection" else []
        result = call(f"{task}.serve.{client}", "text", *more, "--address", address, "--version", "7")
        assert result.exit_code == 2
        assert "NOT_FOUND: version 7" in result.output
