"""The ready models of `saved_models/`: putting one in its place, and the card that says what it is."""

import os
import platform
import shutil
from importlib import metadata
from pathlib import Path

from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import saved_model_pb2

MEGABYTES_AT_MOST = 25
VERSIONS_OF = ("keras_attention", "tensorflow", "keras", "tensorflow-text", "sentencepiece")


def place_model(exported, directory, megabytes_at_most=MEGABYTES_AT_MOST):
    """Move an exported version to `<directory>/<version>/`, in the place of an earlier one.

    Args:
        exported: The version's folder, on the same file system.
        directory: The model's folder in `saved_models/`.
        megabytes_at_most: Size that the files may have in all.

    Returns:
        The version's new path.

    Raises:
        ValueError: If it is too large; the earlier one then stays.
    """
    exported, directory = Path(exported), Path(directory)
    size = size_of(exported)
    if size > megabytes_at_most * 1e6:
        raise ValueError(
            f"Expected a model of at most {megabytes_at_most} MB. Received: {exported} of {size / 1e6:.1f} MB"
        )
    directory.mkdir(parents=True, exist_ok=True)
    placed, earlier = directory / exported.name, directory / f"replaced-{exported.name}"
    if placed.exists():
        os.replace(placed, earlier)
    shutil.move(exported, placed)
    shutil.rmtree(earlier, ignore_errors=True)
    return placed


def size_of(path):
    """Return the bytes of all files of a folder."""
    return sum(file.stat().st_size for file in Path(path).rglob("*") if file.is_file())


def shown_path(path):
    """Return a path from the top of the project if it is inside, else its name alone: a card names no one's folders."""
    top = Path(__file__).parents[1]
    path = Path(path).resolve()
    return path.relative_to(top) if path.is_relative_to(top) else path.name


def signature_table(path):
    """Return the signatures of a SavedModel as a table in Markdown, read from the SavedModel itself."""
    saved_model = saved_model_pb2.SavedModel.FromString((Path(path) / "saved_model.pb").read_bytes())
    lines = ["| signature | | name | dtype | shape |", "|---|---|---|---|---|"]
    signatures = saved_model.meta_graphs[0].signature_def
    for name in sorted(signatures, key=lambda name: (name != "serving_default", name)):
        if name.startswith("__"):  # the loader's own
            continue
        for side, tensors in (("input", signatures[name].inputs), ("output", signatures[name].outputs)):
            for key in sorted(tensors):
                lines.append(f"| `{name}` | {side} | `{key}` | {_dtype(tensors[key])} | {_shape(tensors[key])} |")
    return "\n".join(lines)


def _dtype(tensor):
    return {"DT_FLOAT": "float32"}.get(name := types_pb2.DataType.Name(tensor.dtype), name.removeprefix("DT_").lower())


def _shape(tensor):
    if tensor.tensor_shape.unknown_rank:
        return "any"
    return "[" + ", ".join("any" if dim.size < 0 else str(dim.size) for dim in tensor.tensor_shape.dim) + "]"


def write_model_card(path, title, summary, use, data, command, record, figures, limits):
    """Write `<model>/README.md`, the card of a ready model.

    Args:
        path: The version's folder, in its place.
        title: What the model is called.
        summary: What it does, in a sentence.
        use: Python code that calls it.
        data: What it was trained on and under which licence, in Markdown.
        command: The command that trained and wrote it.
        record: Dict of what the training was: names and values, in the order of the card; seed among them.
        figures: Dict from what was measured to its value, a string.
        limits: List of sentences: what it cannot do and what it is not for.

    Returns:
        The card's path.
    """
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in VERSIONS_OF)
    table = ["| what | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in record.items())]
    measured = ["| measured | result |", "|---|---|", *(f"| {name} | {value} |" for name, value in figures.items())]
    parts = [
        f"# {title}",
        summary,
        "## Use",
        f"```python\n{use.strip()}\n```",
        "## Signatures",
        "`any` is a size that the request chooses. The warm-up requests beside it call each of them.",
        signature_table(path),
        "## Figures",
        "\n".join(measured),
        "## Training",
        f"    {command}",
        "\n".join(table),
        f"Python {platform.python_version()}, {versions}. Version {path.name}: {size_of(path) / 1e6:.1f} MB.",
        "## Data and licence",
        data.strip(),
        "## Limits",
        "\n".join(f"- {sentence}" for sentence in limits),
    ]
    card = path.parent / "README.md"
    card.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return card
