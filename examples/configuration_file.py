"""Configuration files of both tasks: reading TOML, and errors that name the file, what it has and what is known."""

import tomllib
from pathlib import Path


def read_toml(path):
    """Read a TOML file as plain dicts; one that is missing or no TOML is a ValueError that names it."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"Expected a TOML file. Received: {str(path)!r}, which is not there") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not valid TOML: {error}") from None


def check_names(path, what, given, known):
    """Refuse a section or an option that is not known."""
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ValueError(f"{path}: unknown {what}: {unknown[0]!r}. Known: {', '.join(sorted(known))}")


def check_choice(path, section, name, value, known):
    """Refuse a value that is not one of those known."""
    if value not in known:
        raise ValueError(
            f"{path}: expected `{name}` in [{section}] to be one of {sorted(known)}. Received: {name}={value!r}"
        )
