"""Configurations as TOML files: Python reads TOML, but does not write it."""

import json
import math
import os
from pathlib import Path


def write_toml(path, configuration, comment=""):
    """Write sections of options as a TOML file, whole or not at all.

    Args:
        path: The file.
        configuration: `{section: {option: value}}`; values are strings, booleans, finite numbers and lists of them.
        comment: Lines to stand on top.

    Returns:
        The path, a `pathlib.Path`.

    Raises:
        ValueError: If a value has another type.

    Example:
    >>> import tempfile
    >>> path = write_toml(tempfile.mkdtemp() + "/config.toml", {"model": {"name": "qa_cnn", "filters": 8}}, "Found.")
    >>> print(path.read_text())
    # Found.
    <BLANKLINE>
    [model]
    name = "qa_cnn"
    filters = 8
    <BLANKLINE>
    """
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    for section, options in configuration.items():
        lines += [""] * bool(lines) + [f"[{section}]"]
        lines += [f"{option} = {_text(f'{section}.{option}', value)}" for option, value in options.items()]
    path = Path(path)
    temporary = path.with_name("partial." + path.name)
    temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.replace(temporary, path)
    return path


def _text(name, value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_text(name, one) for one in value) + "]"
    raise ValueError(f"Expected strings, booleans, finite numbers or lists of them. Received: {name}={value!r}")
