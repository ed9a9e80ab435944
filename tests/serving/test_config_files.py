"""The two configuration files of the stock server, read by the parser that it uses too."""

import pytest

from keras_attention.serving import BatchingParameters, ModelConfig, read_batching_parameters, read_model_configs


def write(folder, text):
    path = folder / "file.config"
    path.write_text(text, encoding="utf-8")
    return path


def test_model_configs(tmp_path):
    text = """
    model_config_list {
      config { name: "one" base_path: "/models/one" model_platform: "tensorflow" }
      config { name: "two" base_path: "/models/two" model_version_policy { all {} } }
      config { name: "three" base_path: "/models/three" model_version_policy { specific { versions: 3 versions: 5 } } }
      config { name: "four" base_path: "/models/four" model_version_policy { latest { num_versions: 2 } } }
    }
    """
    assert read_model_configs(write(tmp_path, text)) == [
        ModelConfig("one", "/models/one", 1),
        ModelConfig("two", "/models/two", "all"),
        ModelConfig("three", "/models/three", (3, 5)),
        ModelConfig("four", "/models/four", 2),
    ]


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("", "at least one model"),
        ("model_config_list { config { nam: 'x' } }", "ModelServerConfig"),
        ("model_config_list { config { name: 'x' model_platform: 'caffe' } }", "caffe"),
        ("model_config_list { config { name: 'x' version_labels { key: 'a' value: 1 } } }", "version_labels"),
        ("model_config_list { config { base_path: '/x' } }", "`name`"),
    ],
)
def test_model_configs_that_are_none(tmp_path, text, complaint):
    with pytest.raises(ValueError, match=complaint):
        read_model_configs(write(tmp_path, text))


@pytest.mark.parametrize(
    "versions, expected",
    [(1, ["10"]), (2, ["2", "10"]), ("all", ["1", "2", "10"]), ((1,), ["1"]), (9, ["1", "2", "10"])],
)
def test_which_versions(tmp_path, versions, expected):
    for name in ("1", "2", "10", "partial-x7", "notes"):
        (tmp_path / name).mkdir()
    (tmp_path / "11").write_text("a file is no version")
    found = ModelConfig("m", str(tmp_path), versions).version_folders()
    assert [path.name for path in found.values()] == expected
    assert [str(number) for number in found] == expected


def test_versions_that_are_not_there(tmp_path):
    (tmp_path / "1").mkdir()
    with pytest.raises(ValueError, match=r"versions \[7\].*with versions \[1\]"):
        ModelConfig("m", str(tmp_path), (7,)).version_folders()
    with pytest.raises(ValueError, match=r"with versions \[\]"):
        ModelConfig("m", str(tmp_path / "nowhere")).version_folders()
    for versions in (0, "newest", ()):
        with pytest.raises(ValueError, match="`versions`"):
            ModelConfig("m", str(tmp_path), versions)


def test_batching_parameters(tmp_path):
    text = """
    max_batch_size { value: 16 }
    batch_timeout_micros { value: 5000 }
    max_enqueued_batches { value: 100 }
    num_batch_threads { value: 3 }
    thread_pool_name { value: "pool" }
    allowed_batch_sizes: 4
    allowed_batch_sizes: 16
    """
    assert read_batching_parameters(write(tmp_path, text)) == BatchingParameters(16, 5000, 100, 3, (4, 16))
    assert read_batching_parameters(write(tmp_path, "")) == BatchingParameters()


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("max_batch_siz { value: 16 }", "BatchingParameters"),
        ("max_batch_size: 16", "BatchingParameters"),
        ("max_batch_size { value: 0 }", "max_batch_size=0"),
        ("batch_timeout_micros { value: -1 }", "batch_timeout_micros=-1"),
        ("max_batch_size { value: 16 } allowed_batch_sizes: 8", "allowed_batch_sizes"),
        ("max_batch_size { value: 2 } allowed_batch_sizes: 2 allowed_batch_sizes: 2", "allowed_batch_sizes"),
        ("pad_variable_length_inputs: true", "pad_variable_length_inputs"),
    ],
)
def test_batching_parameters_that_are_none(tmp_path, text, complaint):
    with pytest.raises(ValueError, match=complaint):
        read_batching_parameters(write(tmp_path, text))
