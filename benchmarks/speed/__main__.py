"""`python -m benchmarks.speed`: one table, every row a ratio measured side by side in one run.

python -m benchmarks.speed --multi30k multi30k/data/task1/raw --translator runs/multi30k_rnn_search/translator
python -m benchmarks.speed --only decoder --only encoder
python -m benchmarks.speed --tiny                   # seconds: shows that everything runs; the figures mean nothing
"""

import argparse
import importlib
import json
import os
import platform
import time
from pathlib import Path

GROUPS = (
    "training_step",
    "decoder",
    "encoder",
    "memory",
    "decoding",
    "latency",
    "answer_selection",
    "nearest_neighbour",
    "pipeline",
    "start",
    "growth",
)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__.split("\n")[0])
    parser.add_argument("--only", action="append", choices=GROUPS, help="a group of rows; may be given several times")
    parser.add_argument("--rounds", type=int, default=10, help="timings of each variant")
    parser.add_argument("--threads", type=int, default=2, help="of every library alike")
    parser.add_argument("--tiny", action="store_true", help="toy sizes, to see that everything runs")
    parser.add_argument("--multi30k", type=Path, help="folder with Multi30k's raw text (decoding, pipeline)")
    parser.add_argument("--translator", type=Path, help="folder of a saved RNNSearch (decoding, latency)")
    parser.add_argument("--selector", type=Path, help="folder of a saved selector (latency)")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    parser.add_argument("--picture", type=Path, default=Path("benchmarks/growth.png"), help="of the growth group")
    parser.add_argument("--json", type=Path, help="write the rows here too")
    options = parser.parse_args(arguments)

    set_threads(options.threads)
    from benchmarks.speed.measure import print_table
    from benchmarks.speed.settings import Settings

    settings = Settings(
        tiny=options.tiny,
        rounds=min(options.rounds, 2) if options.tiny else options.rounds,
        multi30k=options.multi30k,
        translator=options.translator,
        selector=options.selector,
        compile_peers=not options.no_compile,
        picture=options.picture,
    )
    print(describe_machine(options.threads), flush=True)
    result = {"machine": describe_machine(options.threads), "tiny": options.tiny, "groups": {}}
    for group in options.only or GROUPS:
        start = time.perf_counter()
        rows = importlib.import_module(f"benchmarks.speed.{group}").rows(settings)
        passed = time.perf_counter() - start
        print_table(f"{group} ({passed:.0f} s)", rows)
        result["groups"][group] = [row.as_dict() for row in rows]
        if options.json:
            options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return result


def set_threads(threads):
    """Give every library the same number of threads. Before any of them is imported, for those that read once."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = str(threads)
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(threads)


def describe_machine(threads):
    """Return machine and versions in one line."""
    from importlib import metadata

    versions = []
    for name in ("tensorflow", "keras", "torch", "keras-hub", "faiss-cpu", "hnswlib", "usearch", "bm25s", "numpy"):
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            versions.append(f"no {name}")
    return (
        f"{platform.machine()}, {os.cpu_count()} CPUs, {threads} threads; Python {platform.python_version()}, "
        + ", ".join(versions)
    )


if __name__ == "__main__":
    main()
