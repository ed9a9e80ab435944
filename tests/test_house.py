"""The order of the house: folders are stages, and a stage imports only stages below it."""

import ast
from pathlib import Path

import keras_attention

PACKAGE = Path(keras_attention.__file__).parent

# What each package may import inside keras_attention (its own files apart).
MAY_IMPORT = {
    "layers": set(),
    "mining": set(),
    "losses": {"mining"},
    "metrics": {"mining"},
    "text": set(),
    "decoding": set(),
    "plotting": set(),
    "serving": set(),
    "datasets": set(),
    "data": {"text", "datasets"},
    "models": {"layers", "decoding"},
    "evaluation": {"metrics", "decoding"},
    "training": {"losses", "evaluation", "metrics", "mining"},
    "retrieval": {"metrics", "text", "data", "evaluation"},
    "tuning": {"data", "models", "training"},
    "export": {"text", "decoding"},
}
BACKEND_NEUTRAL = ("layers", "mining", "losses", "metrics", "models", "decoding")
FORBIDDEN_NAMES = {"utils", "helpers", "common", "search", "misc"}
OTHER_TASK = {"translation": "answer_selection", "answer_selection": "translation"}


def source_files(folder=PACKAGE):
    return sorted(folder.rglob("*.py"))


def imported_modules(path):
    """Return the absolute dotted names that a file imports, wherever in the file the import stands."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; the house writes absolute ones"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def stage(path):
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else None


def test_imports_go_downward():
    wrong = []
    for path in source_files():
        own = stage(path)
        if own is None:
            continue
        assert own in MAY_IMPORT, f"unknown stage {own}: name it in MAY_IMPORT and in the README's map"
        for name in imported_modules(path):
            parts = name.split(".")
            if parts[0] != "keras_attention" or len(parts) < 2:
                continue
            if parts[1] != own and parts[1] not in MAY_IMPORT[own] and parts[1] != "__version__":
                wrong.append(f"{path.relative_to(PACKAGE)} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_the_two_tasks_do_not_import_each_other():
    wrong = []
    for path in source_files():
        parts = [*path.relative_to(PACKAGE).parts[:-1], path.stem]
        for task, other in OTHER_TASK.items():
            if task in parts:
                wrong += [f"{path.name} imports {n}" for n in imported_modules(path) if other in n.split(".")]
    assert not wrong, "\n".join(wrong)


def test_neutral_stages_import_tensorflow_only_in_the_named_fast_paths():
    wrong = []
    for name in BACKEND_NEUTRAL:
        for path in source_files(PACKAGE / name):
            tops = {n.split(".")[0] for n in imported_modules(path)}
            foreign = tops & {"tensorflow", "tensorflow_text", "torch", "jax"}
            if foreign and not path.stem.endswith("_tensorflow"):
                wrong.append(f"{path.relative_to(PACKAGE)} imports {foreign}")
    assert not wrong, "\n".join(wrong)


def test_no_catch_all_names():
    for path in PACKAGE.rglob("*"):
        assert path.stem not in FORBIDDEN_NAMES, path


def test_no_assert_in_the_package():
    for path in source_files():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not [n for n in ast.walk(tree) if isinstance(n, ast.Assert)], path


def test_one_public_class_per_file():
    for path in source_files():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        public = [n.name for n in tree.body if isinstance(n, ast.ClassDef) and not n.name.startswith("_")]
        assert len(public) <= 1, f"{path}: {public}"


def test_most_files_are_short():
    lengths = [len(p.read_text(encoding="utf-8").splitlines()) for p in source_files()]
    assert sum(n < 300 for n in lengths) >= 0.9 * len(lengths)
