"""The table of precisions: what counts as a tensor core, and that a row can be measured anywhere."""

import json

import keras
import pytest

from benchmarks.gpu import main, print_rows, tensor_core_share


def test_the_share_of_tensor_cores_is_by_time_and_by_the_kernels_names():
    kernels = [("sm80_xmma_gemm_f16f16_f16f32_f32_tn_n", 1.0), ("ampere_sgemm_128x64_nn", 2.0), ("add_kernel", 1.0)]
    assert tensor_core_share(kernels) == 0.25
    assert tensor_core_share([("ampere_fp16_s16816gemm_fp16_128x128", 3.0)]) == 1.0
    assert tensor_core_share([]) is None


def test_a_row_that_fails_says_so(capsys):
    print_rows([{"model": "qa_cnn", "precision": "float32", "jit_compile": "auto", "error": "out of memory"}])
    assert "out of memory" in capsys.readouterr().out


@pytest.mark.extended
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="measures TensorFlow")
def test_rows_on_this_machine(tmp_path, capsys):
    names = [word for name in ("rnn_search", "qa_cnn") for word in ("--model", name)]
    main(["--tiny", "--steps", "3", "--batch", "8", "--json", str(tmp_path / "rows.json"), *names])
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert [(row["model"], row["precision"]) for row in rows] == [
        (model, precision)
        for model in ("rnn_search", "qa_cnn")
        for precision in ("float32", "mixed_float16", "mixed_bfloat16")
    ]
    assert all(row["milliseconds"] > 0 and row["memory_megabytes"] > 100 for row in rows), rows
    assert "tensor cores" in capsys.readouterr().out
