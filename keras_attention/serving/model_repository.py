"""The models of a server by name and version."""

from keras_attention.serving.served_model import ServedModel
from keras_attention.serving.serving_error import ServingError


class ModelRepository:
    """Loads every version that the configs ask for, once, and finds it again.

    Unlike the stock server it does not watch the folders: a version that appears later is not served.

    Args:
        configs: List of `ModelConfig`.

    Attributes:
        models: Dict from a name to a dict from a version to its `ServedModel`, versions in order.

    Raises:
        ValueError: If a name stands twice, a folder holds no version, or a version no SavedModel.
    """

    def __init__(self, configs):
        names = [config.name for config in configs]
        if len(set(names)) != len(names) or not names:
            raise ValueError(f"Expected models with a name of its own each. Received: names={names}")
        self.models = {
            config.name: {
                version: ServedModel(folder, config.name, version)
                for version, folder in config.version_folders().items()
            }
            for config in configs
        }

    def find(self, name, version=None, label=""):
        """Return the `ServedModel` of that name and version; without version, the newest.

        Raises:
            ServingError: NOT_FOUND, or INVALID_ARGUMENT for a label.
        """
        if label:
            raise ServingError("INVALID_ARGUMENT", f"expected a version by number. Received: version_label={label!r}")
        versions = self.models.get(name, {})
        if not versions:
            raise ServingError("NOT_FOUND", f"model {name!r} not found, expected one of {sorted(self.models)}")
        model = versions[max(versions)] if version is None else versions.get(version)
        if model is None:
            raise ServingError(
                "NOT_FOUND", f"version {version} of model {name!r} not found, there are {list(versions)}"
            )
        return model

    def versions(self, name, version=None, label=""):
        """Return the versions, in order, of a model; or the one asked for. Raises as `find`."""
        model = self.find(name, version, label)
        return [model.version] if version is not None else list(self.models[name])

    def close(self):
        """Close every session."""
        for versions in self.models.values():
            for model in versions.values():
                model.close()
