"""The classic attention models in Keras 3, from raw text to a served SavedModel."""

import importlib

__version__ = "0.1.0"

# Loaded when first asked for, so that `import keras_attention` costs nothing that is not used.
_PACKAGES = (
    "data",
    "datasets",
    "decoding",
    "evaluation",
    "export",
    "layers",
    "losses",
    "metrics",
    "models",
    "plotting",
    "retrieval",
    "serving",
    "text",
    "training",
    "tuning",
)
_CLASSES = {
    "AnswerSelector": "keras_attention.answer_selector",
    "RankedAnswer": "keras_attention.ranked_answer",
    "Translation": "keras_attention.translation",
    "Translator": "keras_attention.translator",
}

__all__ = ["AnswerSelector", "RankedAnswer", "Translation", "Translator", *_PACKAGES]


def __getattr__(name):
    if name in _CLASSES:
        return getattr(importlib.import_module(_CLASSES[name]), name)
    if name in _PACKAGES:
        return importlib.import_module(f"keras_attention.{name}")
    raise AttributeError(f"module 'keras_attention' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
