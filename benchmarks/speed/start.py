"""From nothing to the first training step, each in a process of its own."""

import json
import subprocess
import sys

from benchmarks.speed.measure import Row, Timing

IMPORTS = """
import json, time
start = time.perf_counter()
import keras, tensorflow, tensorflow_text
middle = time.perf_counter()
import keras_attention
from keras_attention import Translator, AnswerSelector, layers, models, losses
print(json.dumps([middle - start, time.perf_counter() - middle]))
"""
FIRST_STEP = """
import json, sys, time
start = time.perf_counter()
from benchmarks.speed.__main__ import set_threads
set_threads(2)
from benchmarks.speed.sizes import TINY, TranslationSizes
from benchmarks.speed.training_step import fit_steps, make_batch, make_model
sizes = TINY if sys.argv[2] == "tiny" else TranslationSizes()
model, batch = make_model(sizes), make_batch(sizes)
built = time.perf_counter()
run = fit_steps(model, batch, jit_compile=sys.argv[1] == "xla", steps=1)
run()
first = time.perf_counter()
run()
print(json.dumps([first - start, built - start, first - built, time.perf_counter() - first]))
"""


def rows(settings):
    """Import time, and the time to the first training step with its parts."""
    repeats = settings.size(5, 1)
    imports = [run_child(IMPORTS) for _ in range(repeats)]
    without, added = ([pair[i] for pair in imports] for i in (0, 1))
    result = [
        Row(
            "import keras_attention and its main names",
            Timing("ours, beyond the three below", tuple(added)),
            [Timing("keras, tensorflow, tensorflow_text", tuple(without))],
            bar="0.3 s",
        )
    ]
    for mode in ("graph", "xla"):
        found = [run_child(FIRST_STEP, mode, settings.size("real", "tiny")) for _ in range(settings.size(3, 1))]
        total, built, first, second = (tuple(column) for column in zip(*found))
        result.append(
            Row(
                f"from the start of Python to the end of the first training step, {mode}",
                Timing("ours", total),
                [
                    Timing("imports and the model", built),
                    Timing("first fit of one step: tracing, compiling, running", first),
                    Timing("second fit of one step", second),
                ],
                bar="15 s",
                notes=["Tracing and compiling take the difference of the last two."],
            )
        )
    return result


def run_child(program, *arguments):
    """Run a program in a fresh Python; return the JSON of its last line."""
    found = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    if found.returncode:
        raise RuntimeError(f"a child failed:\n{found.stderr[-2000:]}")
    return json.loads(found.stdout.strip().split("\n")[-1])
