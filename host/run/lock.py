"""One program at a time in a folder."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from ...errors import BadInput
from ..data.npz import write_error

__all__ = ["LOCK", "hold"]

#: File that is locked. It stays when it is not, or two could each lock one of that name.
LOCK = ".lock"


@contextlib.contextmanager
def hold(folder: Path, made: bool = False) -> Iterator[None]:
    """Have a folder for oneself, made if it is missing, and unmade if nothing is put there.

    The system lets go of the lock of a program that is killed.

    Parameters
    ----------
    folder
        The folder.
    made
        It was made for this, so that it is unmade too.

    Raises
    ------
    BadInput
        The folder cannot be made, or another program is at work in it.
    OutputError
        The disk is full.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    missing = [folder] if made else missing
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"cannot create {folder}: {error.strerror}") from None
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise BadInput(f"another tritgrad is at work in {folder}; wait until it has ended, or "
                       "choose another folder") from None
    except OSError as error:
        raise write_error(folder / LOCK, error) from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if missing and [path.name for path in folder.iterdir()] == [LOCK]:
                (folder / LOCK).unlink()
                for path in missing:
                    path.rmdir()
        lock.release()
