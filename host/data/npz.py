"""Reading foreign .npz files without trust, and writing files whole or not at all."""

import io
import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput

__all__ = ["need_file", "read_arrays", "write_arrays", "write_whole"]

Array = npt.NDArray[Any]

#: What NumPy and zipfile raise on bytes that are no good .npz file.
UNREADABLE = (OSError, ValueError, EOFError, KeyError, RuntimeError, MemoryError,
              zipfile.BadZipFile, zlib.error)


def need_file(path: Path) -> None:
    """Raises `BadInput` if there is no file at `path`."""
    if not path.is_file():
        raise BadInput(f"{path} {'is a folder, not a file' if path.is_dir() else 'does not exist'}")


def read_arrays(path: Path) -> dict[str, Array]:
    """All arrays of a .npz file by name, never unpickling anything.

    Raises
    ------
    BadInput
        The file is missing, no .npz file, damaged, or holds an object array.
    """
    need_file(path)
    if not zipfile.is_zipfile(path):
        raise BadInput(f"{path} is no .npz file (or is cut short)")
    name = ""
    arrays = {}
    try:
        # opened here because np.load leaks a file that it cannot read
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            for name in stored.files:
                arrays[name] = stored[name]
    except UNREADABLE as error:
        if "allow_pickle" in str(error):
            raise BadInput(f"{path}: array {name!r} holds Python objects; "
                           f"only numbers and strings are read") from None
        part = f"array {name!r}" if name else "the archive"
        raise BadInput(f"{path}: {part} is damaged ({_first_line(error)})") from None
    for name, value in arrays.items():
        if not isinstance(value, np.ndarray):
            raise BadInput(f"{path}: {name!r} is no NumPy array")
    return arrays


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def write_arrays(path: Path, arrays: Mapping[str, npt.ArrayLike]) -> None:
    """Write a compressed .npz file; the same arrays give the same bytes."""
    buffer = io.BytesIO()
    plain: dict[str, Any] = {name: np.asarray(value) for name, value in arrays.items()}
    np.savez_compressed(buffer, **plain)
    write_whole(path, buffer.getvalue())


def write_whole(path: Path, content: bytes) -> None:
    """Put `content` at `path` so that a reader sees the old file or the new one, never a part.

    Raises
    ------
    BadInput
        The file cannot be written there.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise BadInput(f"cannot write {path}: {error.strerror or error}") from None
