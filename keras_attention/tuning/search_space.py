"""What a search looks at: ranges of the options of a configuration, given as plain data."""

import copy

RANGE_KEYS = {"choices", "minimum", "maximum", "step", "scale"}
SCALES = ("linear", "log")
MODEL_NAME = "model.name"
DIGITS = 6  # significant ones of a number drawn from a range: what is written is what was trained


class SearchSpace:
    """Ranges of options, section by section as a configuration file has them.

    A range is a dict:

    - `{"choices": [...]}`: one of these; all strings, all booleans, or all numbers;
    - `{"minimum": a, "maximum": b}`, with `"step"` and `"scale"` ("linear" or "log") if wanted: whole numbers if all
      of them are whole, else any in between. On a log scale `step` is a factor.

    Where a range can stand, a plain value stands for an option that every trial has alike, and `{}` for one that stays
    as the configuration says. So a space is overridden part by part, from Python or from a TOML file:

    ```toml
    [model]
    units = { choices = [128, 256] }   # instead of the model's own range
    dropout = 0.3                      # not searched: the same in every trial
    tie_embeddings = {}                # not searched: as the configuration says

    [training]
    learning_rate = { minimum = 1e-4, maximum = 1e-2, scale = "log" }
    ```

    Args:
        models: Dict from a model's name to its own space: `{section: {option: range}}`. With several models the name is
            searched too, and each has its own ranges.
        shared: The space that all of them share, same form.

    Raises:
        ValueError: If a range is not of these forms.

    Example:
    >>> space = SearchSpace({"qa_cnn": {"model": {"window": {"minimum": 1, "maximum": 4}}}})
    >>> space = space.override({"model": {"window": {"choices": [2, 3]}, "filters": 8}})
    >>> space.apply({"model.window": 3}, {"training": {"epochs": 5}})
    {'training': {'epochs': 5}, 'model': {'name': 'qa_cnn', 'filters': 8, 'window': 3}}
    """

    def __init__(self, models, shared=None):
        if not models:
            raise ValueError("Expected the space of at least one model. Received: models={}")
        self.models = {name: _checked(space) for name, space in models.items()}
        self.shared = _checked(shared or {})

    def override(self, changes):
        """Return a space with some options replaced.

        Args:
            changes: `{section: {option: range, value or {}}}`. For every model that the space is of.
        """
        changes = _checked(changes)
        return SearchSpace({name: _merged(_merged(self.shared, space), changes) for name, space in self.models.items()})

    def restrict(self, keep):
        """Return a space without the options for which `keep(model_name, "section.option")` is false."""

        def kept(name):
            space = _merged(self.shared, self.models[name])
            return {s: {o: r for o, r in options.items() if keep(name, f"{s}.{o}")} for s, options in space.items()}

        return SearchSpace({name: kept(name) for name in self.models})

    def ranges(self, model):
        """Return what is searched for a model: dict from "section.option" to a range."""
        space = _merged(self.shared, self.models[model])
        return {
            f"{section}.{option}": one
            for section, options in space.items()
            for option, one in options.items()
            if isinstance(one, dict) and one
        }

    def as_dict(self):
        """Return plain data, for the record of the search."""
        return {"shared": copy.deepcopy(self.shared), "models": copy.deepcopy(self.models)}

    def declare(self, hp, configuration):
        """Tell KerasTuner's `hp` what there is, with the configuration's own values as the defaults.

        Args:
            hp: `keras_tuner.HyperParameters`.
            configuration: Dict of sections, what the search starts from.
        """
        own = configuration.get("model", {}).get("name")
        if len(self.models) == 1:
            for name, one in self.ranges(*self.models).items():
                _declare(hp, name, one, configuration)
            return
        names = list(self.models)
        hp.Choice(MODEL_NAME, names, default=own if own in names else names[0])
        for model in names:
            with hp.conditional_scope(MODEL_NAME, [model]):
                for name, one in self.ranges(model).items():
                    _declare(hp, name, one, configuration if model == own else {})

    def apply(self, values, configuration):
        """Return the configuration of a trial.

        Args:
            values: Dict from "section.option" to a value, as `hp.values` has it; further names are left out.
            configuration: Dict of sections, what the search starts from. Left as it is.

        Returns:
            A dict of sections. Options of another model than the trial's are not in it.
        """
        trial = copy.deepcopy(configuration)
        model = values.get(MODEL_NAME, next(iter(self.models)))
        if trial.get("model", {}).get("name") != model:
            trial["model"] = {"name": model}
        space = _merged(self.shared, self.models[model])
        fixed = {
            f"{section}.{option}": one
            for section, options in space.items()
            for option, one in options.items()
            if not isinstance(one, dict)
        }
        searched = {name: _rounded(values[name]) for name in self.ranges(model) if name in values}
        for name, value in {**fixed, MODEL_NAME: model, **searched}.items():
            section, option = name.split(".", 1)
            trial.setdefault(section, {})[option] = value
        return trial


def _merged(space, other):
    return {
        section: {**space.get(section, {}), **other.get(section, {})} for section in dict.fromkeys([*space, *other])
    }


def _checked(space):
    for section, options in space.items():
        if not isinstance(options, dict):
            raise ValueError(f"Expected options in section [{section}] of a space. Received: {section}={options!r}")
        for option, one in options.items():
            if isinstance(one, dict):
                _check_range(f"{section}.{option}", one)
    return copy.deepcopy(space)


def _check_range(name, one):
    def refuse(expected):
        raise ValueError(f"The range of {name}: expected {expected}. Received: {one!r}")

    unknown = sorted(set(one) - RANGE_KEYS)
    if unknown:
        refuse(f"keys among {', '.join(sorted(RANGE_KEYS))}, not {unknown[0]!r}")
    if not one:
        return
    if "choices" in one:
        choices = one["choices"]
        if len(one) > 1:
            refuse("`choices` alone")
        if not isinstance(choices, (list, tuple)) or not choices:
            refuse("a list of choices")
        if len({_kind(choice) for choice in choices}) != 1 or _kind(choices[0]) is None:
            refuse("choices that are all strings, all booleans or all numbers")
        return
    if not {"minimum", "maximum"} <= set(one):
        refuse("`choices`, or `minimum` and `maximum`")
    if any(_kind(one[key]) != "number" for key in ("minimum", "maximum", "step") if key in one):
        refuse("numbers")
    scale = one.get("scale", "linear")
    if scale not in SCALES:
        refuse(f"a scale of {' or '.join(SCALES)}")
    if not one["minimum"] < one["maximum"]:
        refuse("a minimum below the maximum")
    if scale == "log" and (one["minimum"] <= 0 or one.get("step", 2) <= 1):
        refuse("a positive minimum and a step above 1 on a log scale")
    if one.get("step", 1) <= 0:
        refuse("a positive step")


def _kind(value):
    for kind, types in (("boolean", bool), ("string", str), ("number", (int, float))):
        if isinstance(value, types):
            return kind
    return None


def _declare(hp, name, one, configuration):
    section, option = name.split(".", 1)
    own = configuration.get(section, {}).get(option)
    if "choices" in one:
        choices = list(one["choices"])
        if any(isinstance(choice, float) for choice in choices):
            choices = [float(choice) for choice in choices]
        default = own if own in choices else choices[0]
        if _kind(own) == _kind(default) == "number":
            default = min(choices, key=lambda choice: abs(choice - own))
        if isinstance(default, bool) and len(set(choices)) == 2:
            hp.Boolean(name, default=default)  # a Choice sent over gRPC makes 0 and 1 of them
        else:
            hp.Choice(name, choices, default=default)
        return
    numbers = [one[key] for key in ("minimum", "maximum", "step") if key in one]
    whole = all(isinstance(number, int) for number in numbers)
    default = own if _kind(own) == "number" else one["minimum"]
    default = min(max(default, one["minimum"]), one["maximum"])
    declare, default = (hp.Int, round(default)) if whole else (hp.Float, float(default))
    scale = one.get("scale", "linear")
    declare(name, one["minimum"], one["maximum"], step=one.get("step"), sampling=scale, default=default)


def _rounded(value):
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
