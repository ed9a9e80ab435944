"""The package as it is imported, with and without KerasTuner."""

import subprocess
import sys

from keras_attention import tuning


def run(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_keras_tuner_is_loaded_when_it_is_used_and_not_before():
    program = (
        "import sys, keras_attention.tuning as t; t.SearchSpace, t.write_toml, t.run_in_process, t.read_results; "
        "sys.exit(', '.join({'keras_tuner', 'keras', 'tensorflow', 'tensorboard'} & set(sys.modules)) or 0)"
    )
    result = run(program)
    assert result.returncode == 0, result.stderr


def test_without_keras_tuner_it_says_how_to_get_it():
    program = "import sys; sys.modules['keras_tuner'] = None; from keras_attention.tuning import make_oracle"
    result = run(program)
    assert result.returncode == 1
    assert "pip install 'keras_attention[tuning]'" in result.stderr


def test_everything_named_is_there():
    for name in tuning.__all__:
        assert getattr(tuning, name).__name__ == name
        assert name in dir(tuning)
