"""The list of the stock server's operations, and the check of a SavedModel against it."""

import contextlib
import sys

import numpy as np
import pytest
from export.cases import make_translator

from keras_attention.export.stock_operations import check_operations, stock_operations
from keras_attention.layers import recurrent_tensorflow
from keras_attention.models import RNNSearch, Seq2Seq

tf = pytest.importorskip("tensorflow")


def write(path, function, *specs):
    module = tf.Module()
    module.function = tf.function(function, input_signature=specs)
    tf.saved_model.save(module, str(path), signatures=module.function)
    return path


VECTOR = tf.TensorSpec([None], tf.float32)


def test_the_list_is_that_of_2_12_1():
    core, text = stock_operations(("tensorflow",)), stock_operations(("tensorflow_text",))
    assert len(core) > 1200
    assert {"MatMul", "StaticRegexReplace", "StatefulPartitionedCall", "LookupTableFindV2"} <= set(core)
    assert {"SentencepieceOp", "SentencepieceTokenizeOp", "NormalizeUTF8"} <= set(text)
    # TF Text 2.12 has neither the trimmers nor utf8_binarize; its operations are not TensorFlow's.
    assert not [name for name in text if "Trim" in name or "Utf8Binarize" in name]
    assert not set(core) & set(text)
    assert stock_operations() == {**core, **text}
    assert {"transpose_a", "transpose_b", "T"} == stock_operations()["MatMul"] - {"grad_a", "grad_b"}


def test_what_the_server_has_passes(tmp_path):
    check_operations(write(tmp_path, lambda x: {"y": tf.map_fn(tf.tanh, x)}, VECTOR))


def test_newer_operations_and_attributes_are_named(tmp_path, monkeypatch):
    path = write(tmp_path, lambda x: {"y": tf.sort(x)}, VECTOR)
    check_operations(path)
    without = {name: names for name, names in stock_operations().items() if name != "TopKV2"}
    monkeypatch.setattr("keras_attention.export.stock_operations.stock_operations", lambda libraries: without)
    with pytest.raises(ValueError, match=r"Received: operation TopKV2 in function __inference"):
        check_operations(path)
    check_operations(path, allow_newer=True)
    without["TopKV2"] = frozenset({"sorted"})
    with pytest.raises(ValueError, match=r"Received: attribute T of operation TopKV2 in"):
        check_operations(path)


def test_operations_of_tf_text_are_no_core_operations(tmp_path):
    text = pytest.importorskip("tensorflow_text")
    spec = tf.TensorSpec([None], tf.string)
    path = write(tmp_path, lambda x: {"y": text.normalize_utf8(x, "NFKC")}, spec)
    check_operations(path)
    with pytest.raises(ValueError, match="operation NormalizeUTF8"):
        check_operations(path, libraries=("tensorflow",))


def test_a_function_of_python_is_refused(tmp_path):
    def function(x):
        y = tf.py_function(lambda z: z + 1.0, [x], tf.float32)
        return {"y": y, "z": tf.numpy_function(np.sin, [x], tf.float32)}

    path = write(tmp_path, function, VECTOR)
    for allow_newer in (False, True):
        with pytest.raises(ValueError, match="operation EagerPyFunc, a function of Python") as raised:
            check_operations(path, allow_newer=allow_newer)
        assert "operation PyFunc, a function of Python" in str(raised.value)


def test_what_xla_must_compile_is_refused(tmp_path):
    compiled = tf.function(lambda x: tf.tanh(x), jit_compile=True)
    path = write(tmp_path, lambda x: {"y": compiled(x)}, VECTOR)
    for allow_newer in (False, True):
        with pytest.raises(ValueError, match="_XlaMustCompile"):
            check_operations(path, allow_newer=allow_newer)


@pytest.mark.parametrize("cls", [Seq2Seq, RNNSearch])
def test_no_cudnn_where_a_gpu_is_visible(cls, tmp_path, monkeypatch):
    """With a GPU the layers take cuDNN's kernels, which the export must not hold; without its guard it would."""
    translator = make_translator(cls)
    monkeypatch.setattr(recurrent_tensorflow, "gpu_is_visible", lambda: True)
    # By its module's name: the package has a function of the same name.
    monkeypatch.setattr(sys.modules["keras.src.backend.tensorflow.rnn"], "_is_gpu_available", lambda: True)
    # What is compared is Keras' own business here: its eager call would want the GPU.
    monkeypatch.setattr("keras_attention.export.translation._compare", lambda *arguments: None)
    recurrent = [layer for layer in translator.model._flatten_layers() if hasattr(layer, "use_cudnn")]
    assert recurrent
    assert {layer.use_cudnn for layer in recurrent} == {"auto"}
    if cls is Seq2Seq:  # the GRU of RNNSearch is not of cuDNN's kind
        with monkeypatch.context() as without:
            without.setattr("keras_attention.export.saved_model._without_cudnn", contextlib.nullcontext)
            with pytest.raises(ValueError, match="CudnnRNNV3, a kernel of cuDNN"):
                translator.export(tmp_path)
    path = translator.export(tmp_path)
    assert {layer.use_cudnn for layer in recurrent} == {"auto"}
    monkeypatch.undo()
    texts = ["the cat", "a dog ran"]
    served = tf.saved_model.load(str(path)).signatures["serving_default"](text=tf.constant(texts))
    assert [text.decode() for text in served["translation"].numpy()] == translator.translate(texts)


def test_cudnn_is_named(tmp_path):
    def function(x):
        x = tf.reshape(x, [1, 1, -1])
        values = tf.raw_ops.CudnnRNNV3(
            input=x, input_h=x, input_c=0.0, params=x[0, 0], sequence_lengths=[1], rnn_mode="gru"
        )
        return {"y": values.output}

    path = write(tmp_path, function, VECTOR)
    with pytest.raises(ValueError, match="operation CudnnRNNV3, a kernel of cuDNN, in"):
        check_operations(path)


def test_an_export_that_does_not_pass_is_not_left_behind(tmp_path, monkeypatch):
    def refuse(path, libraries, allow_newer):
        assert (path / "saved_model.pb").exists()
        raise ValueError(f"operation New, allow_newer={allow_newer}")

    monkeypatch.setattr("keras_attention.export.saved_model.check_operations", refuse)
    with pytest.raises(ValueError, match="operation New, allow_newer=True"):
        make_translator(Seq2Seq).export(tmp_path, allow_newer_operations=True)
    assert list(tmp_path.iterdir()) == []
