"""The same SavedModels under other versions of TensorFlow and TF Text, each in a virtual environment made here.

    python -m pytest -m extended tests/export/test_environments.py

Once loaded by Python, once by the C program built against that version. The environments take minutes and about 2 GB
each; EXPORT_TEST_ENVIRONMENTS names a folder that keeps them.
"""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest
from export import c_program
from export.cases import ANSWER_SELECTION_MODELS, CORPUS, TEXTS, TOKENIZERS, TRANSLATION_MODELS, make

from keras_attention.models import APCNN, QACNN

tf = pytest.importorskip("tensorflow")

pytestmark = pytest.mark.extended
CLIENT = Path(__file__).with_name("environment_client.py")
VERSIONS = {
    "2.20": ["tensorflow==2.20.*", "tensorflow-text==2.20.*"],
    # What the stock servers from 2.12 to 2.19 embed of TF Text. Wheels for Python 3.11 at most. What importing them
    # needs, by name: left to itself pip tries one release of JAX after the other.
    "2.12.1": [
        "--no-deps",
        "tensorflow==2.12.1",
        "tensorflow-text==2.12.1",
        "absl-py==2.1.0",
        "astunparse==1.6.3",
        "certifi==2023.7.22",
        "charset-normalizer==3.2.0",
        "flatbuffers==23.5.26",
        "gast==0.4.0",
        "google-pasta==0.2.0",
        "h5py==3.10.0",
        "idna==3.4",
        "keras==2.12.0",
        "numpy==1.23.5",
        "opt-einsum==3.3.0",
        "packaging==23.2",
        "protobuf==4.25.9",
        "requests==2.31.0",
        "six==1.16.0",
        "tensorflow-estimator==2.12.0",
        "tensorflow-hub==0.16.1",
        "termcolor==2.3.0",
        "typing-extensions==4.5.0",
        "urllib3==2.0.7",
        "wrapt==1.14.2",
    ],
}


@pytest.fixture(scope="module")
def requests(tmp_path_factory):
    """Requests to SavedModels of every model with every tokenizer, and what they answer here."""
    folder = tmp_path_factory.mktemp("models")
    requests = []

    def add(path, signature, **inputs):
        requests.append({"path": str(path), "signature": signature, "inputs": inputs})

    for cls in TRANSLATION_MODELS:
        for tokenizer in TOKENIZERS:
            translator = make(cls, tokenizer)
            path = translator.export(folder / f"{cls.__name__}_{tokenizer}", beam_width=2)
            for signature in ("serving_default", "n_best", *["alignment"] * translator.model.has_alignment):
                add(path, signature, text=TEXTS)
        path = translator.export(folder / f"{cls.__name__}_ids", interface="token_ids", beam_width=2)
        add(path, "serving_default", source_ids=translator.graph.source_ids(TEXTS).numpy().tolist())
    for cls in ANSWER_SELECTION_MODELS:
        for tokenizer in TOKENIZERS:
            selector = make(cls, tokenizer)
            path = selector.export(folder / f"{cls.__name__}_{tokenizer}")
            add(path, "serving_default", question=TEXTS, answer=TEXTS[::-1])
            add(path, "rank", question=TEXTS[:1], answers=TEXTS)
        if cls in (QACNN, APCNN):
            path = selector.index(CORPUS).export_with_index(folder / f"{cls.__name__}_index", top_k=3)
            add(path, "serving_default", question=TEXTS)
    for request in requests:
        signature = tf.saved_model.load(request["path"]).signatures[request["signature"]]
        inputs = {name: tf.constant(value) for name, value in request["inputs"].items()}
        request["expected"] = {name: value.numpy() for name, value in signature(**inputs).items()}
    return requests


def python_of(name, folder):
    """Return the interpreter of an environment with these versions, made if it is not there."""
    folder = Path(os.environ.get("EXPORT_TEST_ENVIRONMENTS", folder)) / f"tensorflow-{name}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        venv.create(folder, with_pip=True, clear=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *VERSIONS[name]]
        subprocess.run(command, check=True)
        (folder / "complete").touch()
    return python


@pytest.fixture(scope="module", params=VERSIONS)
def environment(request, tmp_path_factory):
    """The version and the interpreter of its environment."""
    if request.param == "2.12.1" and sys.version_info[:2] > (3, 11):
        pytest.skip("TensorFlow 2.12 has no wheel for this Python")
    return request.param, python_of(request.param, tmp_path_factory.mktemp("environments"))


def assert_same(answer, request):
    what = f"{Path(request['path']).parent.name}, {request['signature']}"
    assert set(answer) == set(request["expected"]), f"{what}: {answer}"
    for name, value in request["expected"].items():
        if value.dtype == np.float32:
            np.testing.assert_allclose(answer[name], value, rtol=1e-4, atol=1e-5, err_msg=f"{what}, {name}")
        else:
            texts = np.array(answer[name], dtype=object).ravel().tolist()
            expected = [x.decode() if isinstance(x, bytes) else x for x in value.ravel().tolist()]
            assert texts == expected, f"{what}, {name}"


def test_the_same_answers_in_python(environment, requests, tmp_path):
    version, python = environment
    asked = [{name: request[name] for name in ("path", "signature", "inputs")} for request in requests]
    (tmp_path / "requests.json").write_text(json.dumps(asked))
    settings = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": ""}
    command = [str(python), str(CLIENT), str(tmp_path / "requests.json")]
    done = subprocess.run(command, capture_output=True, text=True, env=settings)
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert all(found.startswith(version) for found in said["versions"])
    for request, answer in zip(requests, said["answers"], strict=True):
        assert_same(answer, request)


def test_the_same_answers_in_c(environment, requests, tmp_path):
    _, python = environment
    packages = next((python.parents[1] / "lib").glob("python*/site-packages"))
    program, libraries = c_program.build(tmp_path, packages), c_program.text_libraries(packages)
    for request in requests:
        inputs = {
            name: np.array(value) if name.endswith("_ids") else value for name, value in request["inputs"].items()
        }
        used = [] if "source_ids" in inputs else libraries
        answer = c_program.run(program, request["path"], used, request["signature"], inputs, tmp_path)
        assert not isinstance(answer, str), f"{request['path']}: {answer[-2000:]}"
        assert_same(answer, request)
