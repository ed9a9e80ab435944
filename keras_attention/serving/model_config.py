"""Which models are served, from where and in which versions: TF Serving's model config."""

import dataclasses
import os
from pathlib import Path

from keras_attention.serving.extra import require_extra


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """One served model.

    Args:
        name: The name it is called by.
        base_path: The model's folder; its versions are folders inside it whose names are numbers.
        versions: An integer n for the n newest, `"all"`, or a tuple of numbers. The stock server's default is 1.
    """

    name: str
    base_path: str
    versions: int | str | tuple = 1

    def __post_init__(self):
        known = self.versions == "all" or (isinstance(self.versions, int) and self.versions >= 1)
        known = known or (isinstance(self.versions, tuple) and bool(self.versions))
        if not known:
            raise ValueError(
                "`versions` must be a positive integer, 'all', or a tuple of numbers. "
                f"Received: versions={self.versions!r}"
            )
        if not self.name:
            raise ValueError("`name` must not be empty. Received: name=''")

    def version_folders(self):
        """Return a dict from the number of each version to serve to its folder, in order.

        Raises:
            ValueError: If the folder has none, or not those asked for.
        """
        base = Path(self.base_path)
        there = {int(path.name): path for path in base.glob("*") if path.name.isdigit() and path.is_dir()}
        if isinstance(self.versions, tuple):
            wanted = self.versions
        else:
            wanted = sorted(there)[-len(there) if self.versions == "all" else -self.versions :]
        missing = [version for version in wanted if version not in there]
        if missing or not wanted:
            raise ValueError(
                f"Expected versions {list(wanted) or 'named by numbers'} in the folder of model {self.name!r}. "
                f"Received: base_path={os.fspath(base)!r} with versions {sorted(there)}"
            )
        return {version: there[version] for version in sorted(wanted)}


def read_model_configs(path):
    """Read the file that `tensorflow_model_server --model_config_file` reads.

    Args:
        path: A `ModelServerConfig` in protocol buffers' text form.

    Returns:
        List of `ModelConfig`.

    Raises:
        ValueError: If it is none, or asks for what the local server does not have: labels, other platforms.
    """
    require_extra("tensorflow_serving")
    from google.protobuf import text_format
    from tensorflow_serving.config import model_server_config_pb2

    try:
        text = Path(path).read_text(encoding="utf-8")
        parsed = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    except text_format.ParseError as error:
        raise ValueError(f"Expected a ModelServerConfig. Received: {os.fspath(path)}: {error}") from error
    configs = []
    for one in parsed.model_config_list.config:
        if one.model_platform not in ("", "tensorflow") or one.version_labels:
            raise ValueError(
                "The local server knows the platform 'tensorflow', without version labels. "
                f"Received: model_platform={one.model_platform!r}, version_labels={dict(one.version_labels)}"
            )
        policy = one.model_version_policy
        if policy.HasField("all"):
            versions = "all"
        elif policy.HasField("specific"):
            versions = tuple(policy.specific.versions)
        else:
            versions = policy.latest.num_versions or 1
        configs.append(ModelConfig(one.name, one.base_path, versions))
    if not configs:
        raise ValueError(f"Expected at least one model in model_config_list. Received: {os.fspath(path)}")
    return configs
