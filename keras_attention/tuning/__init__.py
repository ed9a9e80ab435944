"""Tuning: a search over configurations whose trials are runs of `train`, resumable and on one machine or several.

Nothing here loads KerasTuner before it is used; it comes with `pip install 'keras_attention[tuning]'`.
"""

import importlib

_MODULES = {
    "AnswerSelectionHyperModel": "answer_selection",
    "ConfigurationTuner": "configuration_tuner",
    "SearchSpace": "search_space",
    "TranslationHyperModel": "translation",
    "TrialResult": "trial_result",
    "best_result": "trial_result",
    "make_oracle": "oracles",
    "read_results": "trial_result",
    "results_table": "report",
    "run_in_process": "trial_process",
    "write_hparams": "hparams",
    "write_toml": "toml_writer",
}

__all__ = sorted(_MODULES)


def __getattr__(name):
    if name in _MODULES:
        return getattr(importlib.import_module(f"keras_attention.tuning.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'keras_attention.tuning' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
