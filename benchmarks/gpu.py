"""`python -m benchmarks.gpu`: a training step of every model in every precision, on a GPU or on this CPU, in one table.

    python -m benchmarks.gpu                                     # all rows; a process each, so that memory is its own
    python -m benchmarks.gpu --model rnn_search --precision float32 --precision mixed_float16
    python -m benchmarks.gpu --tiny                              # seconds a row: shows that everything runs

Columns: milliseconds of a step (forward, backward, clipping, Adam; median), tokens a second, the most memory in use (of
the GPU's allocator; on a CPU of the whole process), and the share of the GPU's kernel time spent in kernels that use
tensor cores. The rows are those of the package as it trains: `jit_compile` is what `choose_jit_compile` chooses; with
`--both` there are rows with and without.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MODELS = ("seq2seq", "rnn_encoder_decoder", "rnn_search", "qa_cnn", "qa_bilstm", "ap_cnn", "ap_bilstm")
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
# In names of NVIDIA's kernels: shapes of the instructions (m16n8k16 is 16816), and what the libraries call them.
TENSOR_CORE_MARKS = ("884", "1688", "16816", "16832", "hmma", "wgmma", "xmma", "tensorop", "gmma", "_tc_")


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__.split("\n")[0])
    parser.add_argument("--model", action="append", choices=MODELS, help="may be given several times; all if not")
    parser.add_argument("--precision", action="append", choices=PRECISIONS, help="may be given several times")
    parser.add_argument("--steps", type=int, default=20, help="timed steps of a row")
    parser.add_argument("--batch", type=int, default=64, help="sentence pairs, or questions")
    parser.add_argument("--both", action="store_true", help="with and without XLA, whatever would be chosen")
    parser.add_argument("--tiny", action="store_true", help="toy sizes")
    parser.add_argument("--json", type=Path, help="write the rows here too")
    parser.add_argument("--row", help=argparse.SUPPRESS)  # one row, in the process started for it
    options = parser.parse_args(arguments)
    if options.row:
        print(json.dumps(measure_row(**json.loads(options.row))))
        return None
    rows = []
    for model in options.model or MODELS:
        for precision in options.precision or PRECISIONS:
            for jit_compile in (False, True) if options.both else ("auto",):
                row = {"model": model, "precision": precision, "jit_compile": jit_compile}
                sizes = {"steps": options.steps, "batch": options.batch, "tiny": options.tiny}
                rows.append({**row, **_in_own_process({**row, **sizes})})
                print(f"{model}, {precision}: {rows[-1].get('milliseconds', rows[-1].get('error'))}", file=sys.stderr)
    print_rows(rows)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return rows


def print_rows(rows):
    """Print the table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=next((f"{row['device']}; {row['versions']}" for row in rows if "device" in row), ""))
    for name in ("model", "precision", "XLA", "ms a step", "tokens/s", "memory MB", "tensor cores"):
        table.add_column(name, justify="left" if name in ("model", "precision", "XLA") else "right")
    for row in rows:
        if "error" in row:
            table.add_row(row["model"], row["precision"], str(row["jit_compile"]), row["error"])
            continue
        share = "-" if row["tensor_core_share"] is None else f"{row['tensor_core_share']:.0%}"
        table.add_row(
            row["model"],
            row["precision"],
            "yes" if row["jit_compile"] else "no",
            f"{row['milliseconds']:.1f}",
            f"{row['tokens_per_second']:,.0f}",
            f"{row['memory_megabytes']:,.0f}",
            share,
        )
    Console(width=120).print(table)


def measure_row(model, precision, jit_compile, steps, batch, tiny):
    """Return the figures of one row, measured in this process."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import numpy as np
    import tensorflow as tf

    trained, inputs, labels, tokens = make_training(model, precision, jit_compile, batch, tiny)
    dataset = tf.data.Dataset.from_tensors((inputs, labels)).cache().repeat().prefetch(2)
    clock, times = _step_clock()
    # The first steps compile, and in float16 look for the scale of the loss.
    trained.fit(dataset, steps_per_epoch=10, verbose=0)
    trained.fit(dataset, steps_per_epoch=steps + 1, verbose=0, callbacks=[clock])
    seconds = float(np.median(np.diff(times)))
    gpus = tf.config.list_physical_devices("GPU")
    return {
        "device": tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU") if gpus else "CPU",
        "versions": f"TensorFlow {tf.__version__}, Keras {keras.__version__}, batch {batch}",
        "jit_compile": bool(trained.jit_compile),
        "milliseconds": 1000 * seconds,
        "tokens_per_second": tokens / seconds,
        "memory_megabytes": _peak_memory(gpus) / 1e6,
        "tensor_core_share": _tensor_core_share(trained, dataset) if gpus else None,
    }


def make_training(model, precision, jit_compile, batch, tiny):
    """Return what `fit` trains, a batch and its labels, and the number of tokens in it, both sides."""
    import keras
    import numpy as np

    from keras_attention import models
    from keras_attention.losses import InBatchSoftmaxLoss, TokenCrossEntropy
    from keras_attention.training.adam import adam_class
    from keras_attention.training.answer_selection import AnswerSelectionTraining
    from keras_attention.training.answer_selection_trainer import AnswerSelectionTrainer
    from keras_attention.training.precision import compile_for_training, set_precision
    from keras_attention.training.translation import TranslationTraining

    keras.utils.set_random_seed(1)
    set_precision(precision)
    random = np.random.default_rng(0)
    vocabulary, width, source, target = (50, 8, 5, 6) if tiny else (8000, 512, 30, 30)
    optimizer = adam_class()(1e-3, global_clipnorm=1.0)
    if model in ("seq2seq", "rnn_encoder_decoder", "rnn_search"):
        sizes = {"embedding_dim": width // 2}
        if model == "seq2seq":
            trained = models.Seq2Seq(vocabulary, vocabulary, units=width, **sizes)
        else:
            cls = models.RNNSearch if model == "rnn_search" else models.RNNEncoderDecoder
            sizes |= {"encoder_units": width // 2, "decoder_units": width, "maxout_units": width // 2}
            # With the reset gate after the product the encoder's GRU may run on cuDNN.
            trained = cls(vocabulary, vocabulary, reset_after=True, **sizes)
        ids = [random.integers(4, vocabulary, (batch, n)).astype("int32") for n in (source, target, target)]
        training = TranslationTraining(precision=precision, jit_compile=jit_compile)
        compile_for_training(trained, training, optimizer=optimizer, loss=TokenCrossEntropy(label_smoothing=0.1))
        return trained, {"source_ids": ids[0], "target_ids": ids[1]}, ids[2], batch * (source + target)
    cls = {
        "qa_cnn": models.QACNN,
        "qa_bilstm": models.QABiLSTM,
        "ap_cnn": models.APCNN,
        "ap_bilstm": models.APBiLSTM,
    }[model]
    sizes = {"filters": width} if model.endswith("cnn") else {"units": width // 2}
    trained = AnswerSelectionTrainer(cls(vocabulary, embedding_width=width // 4, **sizes))
    question, answer = (4, 7) if tiny else (30, 100)
    labels = np.eye(batch, dtype="float32")
    inputs = {
        "question_ids": random.integers(1, vocabulary, (batch, question)).astype("int32"),
        "answer_ids": random.integers(1, vocabulary, (batch, answer)).astype("int32"),
        "labels": labels,
    }
    training = AnswerSelectionTraining(precision=precision, jit_compile=jit_compile)
    compile_for_training(trained, training, optimizer=optimizer, loss=InBatchSoftmaxLoss())
    return trained, inputs, labels, batch * (question + answer)


def tensor_core_share(kernels):
    """Return the share of time in kernels that use tensor cores, by their names; None where there are no kernels.

    Args:
        kernels: Iterable of `(name, duration)`.
    """
    whole = used = 0.0
    for name, duration in kernels:
        whole += duration
        used += duration * any(mark in name.lower() for mark in TENSOR_CORE_MARKS)
    return used / whole if whole else None


def _tensor_core_share(trained, dataset):
    """Profile three steps and look at the names of the GPU's kernels."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        trained.fit(dataset, steps_per_epoch=3, verbose=0)
        tf.profiler.experimental.stop()
        space = xplane_pb2.XSpace()
        for path in Path(folder).rglob("*.xplane.pb"):
            space.MergeFromString(path.read_bytes())
    return tensor_core_share(
        (plane.event_metadata[event.metadata_id].name, event.duration_ps)
        for plane in space.planes
        if plane.name.startswith("/device:GPU")
        for line in plane.lines
        if line.name.startswith("Stream")
        for event in line.events
    )


def _peak_memory(gpus):
    if gpus:
        import tensorflow as tf

        return sum(tf.config.experimental.get_memory_info(f"GPU:{i}")["peak"] for i in range(len(gpus)))
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _in_own_process(row):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", "--row", json.dumps(row)], capture_output=True, text=True
    )
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["no message"])[-1][:60]}
    return json.loads(done.stdout.splitlines()[-1])


def _step_clock():
    """Return a callback that notes when each step has ended."""
    import keras

    times = []
    clock = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: times.append(time.perf_counter()))
    return clock, times


if __name__ == "__main__":
    main()
