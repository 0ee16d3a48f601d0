"""Files that a command is about to write, refused before it does anything."""

import os
from collections.abc import Mapping
from pathlib import Path

from ...errors import BadInput

__all__ = ["PICTURES", "check_outputs", "check_picture", "same_file"]

#: Endings that a picture may have.
PICTURES = (".png", ".svg", ".pdf")

Files = Mapping[str, str | Path | None]


def check_outputs(outputs: Files, inputs: Files | None = None) -> None:
    """Refuse outputs that cannot be written, that are an input, or that are each other.

    Parameters
    ----------
    outputs, inputs
        Files by what the user calls them, such as ``--npz`` or ``MODEL``; None where not given.

    Raises
    ------
    BadInput
        Names the option, the file and what is wrong with it.
    """
    taken = [(name, str(file)) for name, file in (inputs or {}).items() if file is not None]
    for name, given in outputs.items():
        if given is None:
            continue
        _check_name(name, str(given))
        for other, file in taken:
            if same_file(given, file):
                raise BadInput(f"{name} {given} would overwrite {_both(other, file, given)}; "
                               "choose another file")
        taken.append((name, str(given)))


def _both(name: str, file: str, given: str | Path) -> str:
    return name if file == str(given) else f"{name} {file}"


def _check_name(name: str, given: str) -> None:
    path = Path(given)
    if not given.strip():
        raise BadInput(f"{name} must name a file, not {given!r}")
    if path.is_dir() or given.endswith(("/", os.sep)):
        raise BadInput(f"{name} {given} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise BadInput(f"{name} {given}: there is no folder {path.parent}")


def same_file(one: str | Path, other: str | Path) -> bool:
    """Whether two names are one file on a disk, also one that is not there yet."""
    if os.path.exists(one) and os.path.exists(other):
        return os.path.samefile(one, other) and os.path.isfile(one)
    return os.path.realpath(one) == os.path.realpath(other)


def check_picture(name: str, given: str | Path | None) -> None:
    """Refuse an ending that a picture cannot have; raises `BadInput` that names the option."""
    if given is not None and Path(given).suffix.lower() not in PICTURES:
        raise BadInput(f"{name} must be a {', '.join(PICTURES)} file, not {str(given)!r}")
