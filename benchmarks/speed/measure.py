"""Timing of variants side by side, and the floor that the machine's own rates set."""

import dataclasses
import time

import numpy as np


@dataclasses.dataclass(frozen=True)
class Timing:
    """Seconds of one variant, one number a repetition.

    Attributes:
        name: What ran.
        seconds: Its times, in the order in which they were taken.
    """

    name: str
    seconds: tuple

    @property
    def median(self):
        """The median, in seconds."""
        return float(np.median(self.seconds))

    def quantile(self, share):
        """The value below which this share of the times lies."""
        return float(np.quantile(self.seconds, share))

    def __str__(self):
        return f"{_readable(self.median)} ({_readable(self.quantile(0.25))} to {_readable(self.quantile(0.75))})"


@dataclasses.dataclass
class Row:
    """One line of the table: ours against peers, lower seconds being better.

    Attributes:
        what: What was done, with its sizes.
        ours: `Timing`.
        peers: List of `Timing`. May be empty.
        floor: `Floor`, or None where no arithmetic sets one.
        bar: What the ratio is hoped to reach, as text.
        notes: Lines under the table.
        per_second: How many items the seconds are for, as `(number, word)`, to print a rate as well.
    """

    what: str
    ours: Timing
    peers: list
    floor: "Floor | None" = None
    bar: str = ""
    notes: list = dataclasses.field(default_factory=list)
    per_second: tuple | None = None

    def as_dict(self):
        """Plain numbers, for JSON."""
        return {
            "what": self.what,
            "ours": _timing_dict(self.ours),
            "peers": [
                {**_timing_dict(peer), "ratio": ratio(self, peer), "ratio_range": ratio_range(self, peer)}
                for peer in self.peers
            ],
            "floor_seconds": self.floor.seconds if self.floor else None,
            "share_of_floor": self.floor.seconds / self.ours.median if self.floor else None,
            "floor": self.floor.lines if self.floor else [],
            "bar": self.bar,
            "notes": self.notes,
            "per_second": [self.per_second[0] / self.ours.median, self.per_second[1]] if self.per_second else None,
        }


def ratio(row, peer):
    """Median of peer over ours, round by round; of the medians where the rounds do not correspond.

    The pace of a machine drifts by a tenth within minutes; those that ran in one round had the same.
    """
    ratios = _ratios(row, peer)
    return float(np.median(ratios)) if ratios is not None else peer.median / row.ours.median


def ratio_range(row, peer):
    """Quartiles of the same; `None` where the rounds do not correspond."""
    ratios = _ratios(row, peer)
    return None if ratios is None else [float(np.quantile(ratios, q)) for q in (0.25, 0.75)]


def _ratios(row, peer):
    if len(peer.seconds) != len(row.ours.seconds):
        return None
    return np.asarray(peer.seconds) / np.asarray(row.ours.seconds)


def interleave(runs, rounds, warm_up=2):
    """Time variants in turn, so that whatever else the machine does falls on all of them alike.

    Args:
        runs: Dict from a name to a callable without arguments. One that returns a list of floats is taken at its word:
            they are seconds; of any other the wall time is taken.
        rounds: How often each is timed. Every round begins with another variant.
        warm_up: Untimed calls of each, before the first round: tracing and compiling.

    Returns:
        Dict from name to `Timing`.
    """
    seconds = {name: [] for name in runs}
    for run in runs.values():
        for _ in range(warm_up):
            run()
    names = list(runs)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            start = time.perf_counter()
            own = runs[name]()
            passed = time.perf_counter() - start
            timed_itself = isinstance(own, list) and own and isinstance(own[0], float)
            seconds[name] += own if timed_itself else [passed]
    return {name: Timing(name, tuple(times)) for name, times in seconds.items()}


class Floor:
    """The least time of a piece of work: every product at the rate measured for its own shape, plus element-wise work.

    Rates are the best of TensorFlow's and PyTorch's, measured when they are first asked for, in this process, with the
    threads that the variants have; each rate is taken once and kept.
    """

    _rates = {}

    def __init__(self):
        self.seconds = 0.0
        self.lines = []

    def product(self, m, k, n, count=1, batch=1):
        """Add `count` times a product of `(m, k)` by `(k, n)`, or of a batch of such pairs."""
        each = self._rate(("product", batch, m, k, n))
        total = each * count
        flop = 2.0 * batch * m * k * n
        self.seconds += total
        self.lines.append(
            f"{count} x product {f'{batch} x ' if batch > 1 else ''}({m}, {k}) ({k}, {n}): "
            f"{flop * count / 1e9:.2f} GFLOP at {flop / each / 1e9:.0f} GFLOP/s = {total * 1e3:.2f} ms"
        )
        return self

    def elements(self, kind, number, count=1):
        """Add `count` passes over `number` float32 elements; `kind` is "tanh", "exp", "multiply" or "maximum"."""
        each = self._rate((kind, number))
        total = each * count
        self.seconds += total
        self.lines.append(
            f"{count} x {kind} of {number:,} elements at {number / each / 1e9:.2f} G/s = {total * 1e3:.2f} ms"
        )
        return self

    @classmethod
    def _rate(cls, key):
        if key not in cls._rates:
            cls._rates[key] = min(run() for run in _kernels(*key))
        return cls._rates[key]


def _kernels(kind, *sizes):
    """Return timers of the same kernel in the libraries that are there: the median of several repetitions each."""
    import tensorflow as tf

    random = np.random.default_rng(0)
    if kind == "product":
        batch, m, k, n = sizes
        lead = (batch,) if batch > 1 else ()
        arrays = [random.normal(size=(*lead, *shape)).astype("float32") for shape in ((m, k), (k, n))]
        tf_function, torch_name = tf.linalg.matmul, "matmul"
    else:
        # Values a forward pass has; exp stays finite.
        arrays = [
            random.normal(size=sizes).astype("float32") for _ in range(2 if kind in ("multiply", "maximum") else 1)
        ]
        tf_function = {"tanh": tf.tanh, "exp": tf.exp, "multiply": tf.multiply, "maximum": tf.maximum}[kind]
        torch_name = {"multiply": "mul"}.get(kind, kind)
    tensors = [tf.constant(a) for a in arrays]
    timers = [lambda: _repeat(lambda: tf_function(*tensors))]
    try:
        import torch
    except ImportError:
        return timers
    own = [torch.from_numpy(a) for a in arrays]
    timers.append(lambda: _repeat(lambda: getattr(torch, torch_name)(*own)))
    return timers


def _repeat(run, least_seconds=0.05):
    """Median seconds of a call, over at least seven."""
    run()
    times, begin = [], time.perf_counter()
    while len(times) < 7 or time.perf_counter() - begin < least_seconds:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def best_of(times, prefix="ours"):
    """Return the fastest of the variants whose name begins with `prefix`, and all the other timings."""
    best = min((t for name, t in times.items() if name.startswith(prefix)), key=lambda t: t.median)
    return best, [t for t in times.values() if t is not best]


def print_table(title, rows, console=None):
    """Print rows as one table with its notes."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = console or Console(width=150)
    table = Table(title=escape(title))
    for heading, options in (
        ("what", {"max_width": 50}),
        ("median (quartiles)", {"justify": "right"}),
        ("peer / ours", {"justify": "right"}),
        ("of floor", {"justify": "right"}),
        ("bar", {"max_width": 22}),
    ):
        table.add_column(heading, **options)
    for row in rows:
        rate = f", {row.per_second[0] / row.ours.median:,.1f} {row.per_second[1]}/s" if row.per_second else ""
        share = f"{row.floor.seconds / row.ours.median:.0%}" if row.floor else ""
        ours = f"{row.ours}{rate}"
        table.add_row(*map(escape, (f"{row.what}: {row.ours.name}", ours, "1", share, row.bar)), style="bold")
        for peer in row.peers:
            spread = ratio_range(row, peer)
            middle = f"{ratio(row, peer):.2f}" + (" ({:.2f}-{:.2f})".format(*spread) if spread else "")
            rate = f", {row.per_second[0] / peer.median:,.1f} {row.per_second[1]}/s" if row.per_second else ""
            table.add_row(*map(escape, (f"    {peer.name}", f"{peer}{rate}", middle, "", "")))
        table.add_section()
    console.print(table)
    for row in rows:
        for line in [*row.notes, *([f"Floor {row.floor.seconds * 1e3:.1f} ms:"] if row.floor else [])]:
            console.print(f"[{row.what}] {line}", markup=False, highlight=False)
        for line in row.floor.lines if row.floor else []:
            console.print(f"    {line}", markup=False, highlight=False)


def _timing_dict(timing):
    return {
        "name": timing.name,
        "median_seconds": timing.median,
        "quartiles": [timing.quantile(0.25), timing.quantile(0.75)],
        "repetitions": len(timing.seconds),
    }


def _readable(seconds):
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}" if seconds * factor < 1000 else f"{seconds * factor:,.0f} {unit}"
    return f"{seconds * 1e6:.3g} us"
