"""Data of a project that has been moved: where a file is now that was somewhere else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["find_again", "find_data"]

#: Options that may name a file or a folder.
PATHS = {"dataset": "--dataset", "test": "--test", "data_dir": "--data-dir",
         "from_model": "--from", "replay": "--replay"}


def find_again(path: str, near: Path, least: int = 1) -> str:
    """The path if it is there, else the same place in the project that `near` is now in.

    That is the longest end of the path that exists below a folder above `near`, of several the
    nearest, with `least` names or more. Whether it is the same data is for the caller to check. The
    path itself if there is none.
    """
    if not Path(path).is_absolute() or Path(path).exists():
        return path
    parts, folders = Path(path).parts, near.resolve().parents
    for first in range(1, len(parts) - least + 1):
        for folder in folders:
            found = folder.joinpath(*parts[first:])
            if found.exists():
                return str(found)
    return path


def find_data(stored: Mapping[str, Any], near: Path) -> tuple[dict[str, Any], list[str]]:
    """Stored options with the paths of data as they are now, and what has moved, in words."""
    found, moved = dict(stored), []
    for name, option in PATHS.items():
        path = stored.get(name)
        least = 2 if name == "from_model" else 1  # each run's folder has a model.npz
        if path is not None and (now := find_again(path, near, least)) != path:
            found[name] = now
            moved.append(f"{option} {path} is not there any more; taking {now}")
    return found, moved
