"""Peak memory of a training step of the attention decoder, each variant in a process of its own.

`python -m benchmarks.speed.memory VARIANT BATCH LENGTH UNITS` prints the peak in bytes above what the process had
before the first step.
"""

import resource
import subprocess
import sys
import threading
import time

from benchmarks.speed.measure import Row, Timing

LIMIT = 8 * 2**30
# Linux counts ru_maxrss in KiB; a child that has just been forked from a large process would inherit its peak, so the
# peak is polled from /proc, which starts anew with exec.
_POLL_SECONDS = 0.005


def rows(settings):
    """Compare peaks at one length, and how long a sequence fits into 8 GiB."""
    batch, length, units = settings.size((32, 200, 512), (2, 5, 4))
    variants = ["ours", "additive", *(["torch"] if _has_torch() else [])]
    peaks = {name: measure(name, batch, length, units) for name in variants}
    names = {"ours": "ours", "additive": "through keras.layers.AdditiveAttention", "torch": "PyTorch eager"}
    timings = {name: Timing(names[name], (float(peak),)) for name, peak in peaks.items()}
    notes = [
        "The numbers of this row are bytes, not seconds: peak above the process before its first step.",
        *(f"{names[name]}: {peak / 2**20:,.0f} MiB at S = T = {length}" for name, peak in peaks.items()),
    ]
    pair = 4 * batch * length * units
    notes.append(
        f"B x S x units in float32: {pair / 2**20:,.0f} MiB; B x T x S x units: {pair * length / 2**20:,.0f} MiB"
    )
    result = [
        Row(
            f"peak memory of a training step, batch {batch}, S = T = {length}, {units} units (bytes)",
            timings["ours"],
            [timings[name] for name in variants[1:]],
            bar="4 x AdditiveAttention",
            notes=notes,
        )
    ]
    longest = {}
    for name in variants:
        if name == "additive":
            continue
        longest[name] = longest_within(name, batch, units, settings.size((200, 300, 400, 600, 800, 1200), (5, 8)))
    result.append(
        Row(
            f"longest S = T within {LIMIT / 2**30:.0f} GiB (inverse of the length)",
            Timing("ours", (1.0 / longest["ours"],)),
            [Timing(names[name], (1.0 / max(longest[name], 1),)) for name in longest if name != "ours"],
            bar="longer than PyTorch",
            notes=[f"{names[name]}: longest tried that fits: {value}" for name, value in longest.items()],
        )
    )
    return result


def longest_within(name, batch, units, lengths):
    """Return the greatest of the rising lengths whose peak stays within the limit; 0 if none does."""
    longest = 0
    for length in lengths:
        if measure(name, batch, length, units) > LIMIT:
            break
        longest = length
    return longest


def measure(variant, batch, length, units):
    """Return the peak in bytes of one variant, from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.speed.memory", variant, *map(str, (batch, length, units))]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        # Out of memory counts as above every limit; anything else is an error to see.
        if found.returncode < 0 or "OutOfMemory" in found.stderr or "OOM" in found.stderr:
            return 2**62
        raise RuntimeError(f"{' '.join(command)} failed:\n{found.stderr[-2000:]}")
    return int(found.stdout.split()[-1])


def main(variant, batch, length, units):
    """Make two steps and print the peak above the start."""
    from benchmarks.speed.__main__ import set_threads

    set_threads(2)
    step = {"ours": _ours, "additive": _additive, "torch": _torch}[variant](batch, length, units)
    start, peak = _resident(), [0]
    done = threading.Event()

    def poll():
        while not done.is_set():
            peak[0] = max(peak[0], _resident())
            time.sleep(_POLL_SECONDS)

    watcher = threading.Thread(target=poll)
    watcher.start()
    try:
        for _ in range(2):
            step()
    finally:
        done.set()
        watcher.join()
    print(max(0, peak[0] - start))


def _resident():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def _sizes(batch, length, units):
    from benchmarks.speed.sizes import TranslationSizes

    return TranslationSizes(
        batch=batch,
        source=length,
        target=length,
        embedding=units // 2,
        encoder_units=units // 2,
        units=units,
        attention_units=units,
    )


def _ours(batch, length, units):
    from benchmarks.speed.decoder import gradients, make_arrays, make_layer

    sizes = _sizes(batch, length, units)
    return gradients(make_layer(sizes), make_arrays(sizes))


def _additive(batch, length, units):
    """The same decoder with Keras' attention layer in a `tf.while_loop`, automatic differentiation."""
    import keras
    import tensorflow as tf

    from benchmarks.speed.decoder import gradients, make_arrays

    class Decoder(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.query, self.keys = (keras.layers.Dense(units, use_bias=False) for _ in range(2))
            self.attention = keras.layers.AdditiveAttention()
            self.cell = keras.layers.GRUCell(units)
            for dense in (self.query, self.keys):
                dense.build((None, units))
            self.cell.build((None, units // 2 + units))
            self.attention.build([(None, 1, units), (None, None, units), (None, None, units)])

        def call(self, inputs, initial_state=None):
            embeddings, annotations = inputs
            keys, given = self.keys(annotations), tf.transpose(embeddings, [1, 0, 2])

            def body(t, state, states, contexts):
                context = self.attention([self.query(state)[:, None], annotations, keys])[:, 0]
                state, _ = self.cell(tf.concat([given[t], context], 1), [state])
                return t + 1, state, states.write(t, state), contexts.write(t, context)

            arrays = [tf.TensorArray(tf.float32, length, element_shape=[batch, units]) for _ in range(2)]
            *_, states, contexts = tf.while_loop(
                lambda t, *_: t < length, body, (0, initial_state, *arrays), maximum_iterations=length
            )
            return states.stack(), contexts.stack()

    return gradients(Decoder(), make_arrays(_sizes(batch, length, units)))


def _torch(batch, length, units):
    from benchmarks.speed.decoder import make_arrays, make_layer, torch_runs

    sizes = _sizes(batch, length, units)
    return torch_runs(make_layer(sizes), make_arrays(sizes), sizes, compiled=False)["PyTorch eager"]


def _has_torch():
    try:
        import torch
    except ImportError:
        return False
    return torch is not None


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
