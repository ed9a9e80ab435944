"""What the hypermodels of the two tasks share: from KerasTuner's values to a configuration that `train` takes."""

import inspect

from keras_attention.tuning.engine import keras_tuner
from keras_attention.tuning.search_space import SearchSpace


class TaskHyperModel(keras_tuner.HyperModel):
    """Base of the hypermodels: a space around a configuration, for one or several models of a task.

    A subclass names `models` and `shared_space`, and implements `objective`, `build`, `_defaults` and `_has_meaning`.

    Attributes:
        configuration: The configuration that the search starts from, a dict of sections.
        space: The `SearchSpace`.
    """

    models = {}  # name in a configuration -> class, with SEARCH_SPACE
    shared_space = {}  # what is not a matter of the model

    def __init__(self, configuration, models=None, space=None, name=None):
        super().__init__(name=name)
        self.configuration = configuration
        own = configuration.get("model", {}).get("name")
        names = list(dict.fromkeys(models or [own]))
        for one in names:
            if one not in self.models:
                raise ValueError(f"Expected models among {', '.join(sorted(self.models))}. Received: model={one!r}")
        arguments = {one: set(inspect.signature(self.models[one]).parameters) for one in names}
        space = space or {}
        unknown = sorted(set(space.get("model", {})) - set.union(*arguments.values()))
        if unknown:
            raise ValueError(f"Expected options of {', '.join(names)} in [model] of a space. Received: {unknown[0]!r}")

        def is_option(model, option):  # an override for several models may name what one of them does not have
            return not option.startswith("model.") or option.split(".", 1)[1] in arguments[model]

        own_spaces = SearchSpace({one: self.models[one].SEARCH_SPACE for one in names}, self.shared_space)
        self.space = own_spaces.restrict(lambda _, option: self._has_meaning(option)).override(space)
        self.space = self.space.restrict(is_option)

    @property
    def objective(self):
        """Name of the figure of the validation part that is to be as large as possible."""
        raise NotImplementedError

    def declare_hyperparameters(self, hp):
        """Tell KerasTuner what is searched; the configuration's own values, or the nearest, are the defaults."""
        stated = self.configuration
        defaults = self._defaults()
        own = stated.get("model", {}).get("name")
        if own in self.models:
            parameters = inspect.signature(self.models[own]).parameters.values()
            defaults["model"] = {p.name: p.default for p in parameters if p.default is not p.empty}
        sections = dict.fromkeys([*defaults, *stated])
        self.space.declare(hp, {s: {**defaults.get(s, {}), **stated.get(s, {})} for s in sections})

    def configure(self, hp):
        """Return the configuration of a trial, a dict of sections.

        Args:
            hp: `keras_tuner.HyperParameters`, or a dict of values by name.
        """
        return self.space.apply(hp if isinstance(hp, dict) else hp.values, self.configuration)

    def build(self, hp):
        """Return a compiled model with new weights and a built optimiser.

        For KerasTuner's own tuners, and to look at a trial's model. The moments of an optimiser that is built are among
        its variables, so they are saved and come back with the weights; those of one that is not are lost.
        `ConfigurationTuner` does not call this: its trials are runs of `train`.
        """
        raise NotImplementedError

    def _defaults(self):
        """Return what options outside [model] are where the configuration does not name them, a dict of sections."""
        raise NotImplementedError

    def _has_meaning(self, option):
        """Return whether searching "section.option" makes sense beside what the configuration says."""
        raise NotImplementedError
