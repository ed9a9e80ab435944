import json

import pytest

from keras_attention.training.workdir import claim_workdir


def test_the_same_run_is_taken_up_again(tmp_path):
    folder = claim_workdir(tmp_path / "a" / "run", {"units": 3, "shape": (1, 2)})
    assert json.loads((folder / "run.json").read_text()) == {"units": 3, "shape": [1, 2]}
    assert claim_workdir(folder, {"units": 3, "shape": (1, 2)}) == folder


def test_another_run_is_refused_and_nothing_is_changed(tmp_path):
    folder = claim_workdir(tmp_path / "run", {"units": 3})
    before = (folder / "run.json").read_text()
    with pytest.raises(ValueError, match=r"another run[\s\S]*units: there 3, here 4[\s\S]*"):
        claim_workdir(folder, {"units": 4})
    assert (folder / "run.json").read_text() == before


def test_somebodys_files_are_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("dear to me")
    with pytest.raises(ValueError, match="holds files"):
        claim_workdir(tmp_path, {})
    with pytest.raises(ValueError, match="is a file"):
        claim_workdir(tmp_path / "thesis.txt", {})
