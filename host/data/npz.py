"""Reading foreign .npz files without trust, and writing files whole or not at all."""

import errno
import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput, OutputError, TritgradError

__all__ = ["array_names", "need_file", "read_array", "read_arrays", "write_arrays", "write_error",
           "write_whole"]

Array = npt.NDArray[Any]

#: What NumPy and zipfile raise on bytes that are no good .npz file.
UNREADABLE = (OSError, ValueError, EOFError, KeyError, RuntimeError, MemoryError,
              zipfile.BadZipFile, zlib.error)

#: What goes wrong with a disk, not with a name.
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def need_file(path: Path) -> None:
    """Raises `BadInput` if there is no file at `path`."""
    if not path.is_file():
        raise BadInput(f"{path} {'is a folder, not a file' if path.is_dir() else 'does not exist'}")


def array_names(path: Path) -> list[str]:
    """Names of the arrays of a .npz file, in its order. Raises `BadInput` as `read_arrays`."""
    need_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist()]
    except UNREADABLE:
        raise BadInput(f"{path} is no .npz file (or is cut short)") from None


def read_array(path: Path) -> Array:
    """The array of a .npy file. Raises `BadInput` if it is missing, damaged or of objects."""
    need_file(path)
    try:
        with path.open("rb") as file:
            found: Array = np.lib.format.read_array(file, allow_pickle=False)
    except UNREADABLE as error:
        what = ("holds Python objects; only numbers and strings are read"
                if "allow_pickle" in str(error) else
                f"is no .npy file, or damaged ({_first_line(error)})")
        raise BadInput(f"{path} {what}") from None
    return found


def read_arrays(path: Path, names: Iterable[str] | None = None) -> dict[str, Array]:
    """Arrays of a .npz file by name, all or the named ones, never unpickling anything.

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
            for name in stored.files if names is None else names:
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

    A symbolic link stays one, and what is no file (``/dev/stdout``) is written to.

    Raises
    ------
    BadInput
        The file cannot be written there.
    OutputError
        The disk is full, or fails.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".tritgrad.{os.getpid()}.tmp")
    try:
        if target.exists():
            if not stat.S_ISREG(target.stat().st_mode):
                target.write_bytes(content)
                return
            if not os.access(target, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise write_error(path, error) from None


def write_error(path: Path | str, error: OSError) -> TritgradError:
    """What to raise where `path` could not be written: the name is bad, or the disk is."""
    kind = OutputError if error.errno in DISK else BadInput
    return kind(f"cannot write {path}: {error.strerror or error}")
