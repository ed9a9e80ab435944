"""The folder of a run: its configuration, and the refusal to mix two runs in one folder."""

import json
from pathlib import Path

RUN_FILE = "run.json"


def claim_workdir(workdir, configuration):
    """Make the folder of a run, or take up the same run again.

    Args:
        workdir: Folder of the run. Made if missing.
        configuration: What defines the run: a dict that JSON holds.

    Returns:
        The folder, a `pathlib.Path`.

    Raises:
        ValueError: If the folder holds a run with another configuration (the differing keys are named), or files that
            no run of this package wrote. Nothing in the folder is changed then.
    """
    workdir = Path(workdir)
    if workdir.exists() and not workdir.is_dir():
        raise ValueError(f"Expected a folder to work in. Received: workdir={str(workdir)!r}, which is a file")
    path = workdir / RUN_FILE
    configuration = json.loads(json.dumps(configuration))
    if path.exists():
        earlier = json.loads(path.read_text(encoding="utf-8"))
        keys = sorted(set(earlier) | set(configuration))
        missing = object()
        differing = [key for key in keys if earlier.get(key, missing) != configuration.get(key, missing)]
        if differing:
            lines = [
                f"  {k}: there {earlier.get(k, '(not set)')!r}, here {configuration.get(k, '(not set)')!r}"
                for k in differing
            ]
            raise ValueError(
                f"{workdir} is the work directory of another run. Take a new one, or the same configuration:\n"
                + "\n".join(lines)
            )
        return workdir
    if workdir.exists() and any(workdir.iterdir()):
        raise ValueError(
            f"Expected a new or empty work directory, or one of the same run. Received: workdir={str(workdir)!r}, "
            f"which holds files but no {RUN_FILE}"
        )
    workdir.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".partial")
    temporary.write_text(json.dumps(configuration, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    temporary.replace(path)
    return workdir
