"""`python -m benchmarks.serving`: requests a second and percentiles of the local server under Locust, on loopback.

python -m benchmarks.serving --model_base_path saved_models/english_french
python -m benchmarks.serving --model_base_path saved_models/english_french --users 32 --seconds 60

The local server, in a process of its own, is loaded first without batching, then with it. Locust runs beside it and
takes its share of the machine. The figures are those of the local server, which is Python: they say nothing about how
fast `tensorflow_model_server` is.
"""

import argparse
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from keras_attention.serving import RestClient

HERE = Path(__file__).parent
SENTENCES = (
    "How are you?",
    "I don't know where he lives.",
    "She bought a new car last week.",
    "Could you please tell me what time it is?",
    "The children were playing in the garden when it began to rain.",
)
QUESTIONS = ("What causes anemia?", "What are the symptoms of asthma ?", "Is there a test for it?")
PERCENTILES = ("50%", "90%", "95%", "99%")


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__.split("\n")[0])
    parser.add_argument("--model_base_path", type=Path, required=True, help="a model's folder, with versions inside")
    parser.add_argument("--users", type=int, default=16, help="callers at a time")
    parser.add_argument("--seconds", type=int, default=30, help="of each load")
    parser.add_argument("--max_batch_size", type=int, default=32)
    parser.add_argument("--batch_timeout_micros", type=int, default=5000)
    options = parser.parse_args(arguments)

    batching = (
        f"max_batch_size {{ value: {options.max_batch_size} }}\n"
        f"batch_timeout_micros {{ value: {options.batch_timeout_micros} }}\n"
    )
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        parameters = Path(folder) / "batching.config"
        parameters.write_text(batching, encoding="utf-8")
        flags = ["--enable_batching", f"--batching_parameters_file={parameters}"]
        for name, more in (("alone", []), ("batched", flags)):
            rows.append({"requests": name, **measure(options, more, Path(folder) / name)})
    print(
        f"{options.users} callers, {options.seconds} s each, {os.cpu_count()} cores; "
        f"batched: up to {options.max_batch_size} after at most {options.batch_timeout_micros / 1000:g} ms"
    )
    print_table(rows)


def request_bodies(address):
    """Return the bodies to send, after the inputs of the default signature of the model at the server."""
    names = set(RestClient(address, "default").metadata(timeout=300)["serving_default"]["inputs"])
    if names == {"text"}:
        return [{"instances": [{"text": text}]} for text in SENTENCES]
    if names == {"question"}:
        return [{"instances": [{"question": text}]} for text in QUESTIONS]
    if names == {"question", "answer"}:
        return [{"instances": [{"question": q, "answer": s} for s in SENTENCES]} for q in QUESTIONS]
    raise SystemExit(f"Error: expected the inputs text, question, or question and answer. Received: {sorted(names)}")


def measure(options, flags, prefix):
    """Start a server, load it, and read what Locust measured."""
    command = [sys.executable, "-m", "keras_attention.serving", "--port=0", "--rest_api_port=0"]
    command += ["--rest_api_timeout_in_ms=300000"]
    server = subprocess.Popen(
        [*command, f"--model_base_path={options.model_base_path}", *flags], stdout=subprocess.PIPE, text=True
    )
    try:
        line = server.stdout.readline()
        address = re.search(r"http://[\d.]+:\d+", line)
        if address is None:
            raise SystemExit(f"Error: the server did not start: {line}")
        requests = {"path": "/v1/models/default:predict", "bodies": request_bodies(address[0])}
        for body in requests["bodies"]:  # the first answers are slow, as memory is taken and graphs are optimised
            RestClient(address[0], "default").predict_rows(body["instances"], timeout=300)
        load = [sys.executable, "-m", "locust", "--locustfile", str(HERE / "locustfile.py"), "--headless"]
        load += ["--host", address[0], "--users", str(options.users), "--spawn-rate", str(options.users)]
        # What is counted begins when all users are there.
        load += ["--run-time", f"{options.seconds}s", "--reset-stats", "--csv", str(prefix), "--only-summary"]
        environment = {**os.environ, "SERVING_REQUESTS": json.dumps(requests)}
        done = subprocess.run(load, env=environment, capture_output=True, text=True)
        if not Path(f"{prefix}_stats.csv").exists():
            raise SystemExit(f"Error: Locust failed: {done.stderr}")
    finally:
        server.terminate()
        server.wait()
    with open(f"{prefix}_stats.csv", newline="", encoding="utf-8") as file:
        total = next(row for row in csv.DictReader(file) if row["Name"] == "Aggregated")
    return {
        "sent": total["Request Count"],
        "failed": total["Failure Count"],
        "a second": f"{float(total['Requests/s']):.1f}",
        **{f"{name} ms": total[name] for name in PERCENTILES},
    }


def print_table(rows):
    """Print rows with the same keys as a Markdown table."""
    names = list(rows[0])
    print("| " + " | ".join(names) + " |")
    print("|" + "---|" * len(names))
    for row in rows:
        print("| " + " | ".join(str(row[name]) for name in names) + " |")


if __name__ == "__main__":
    main()
