"""The one place that decides where what was compiled or downloaded is kept.

Compiled cores, numba's machine code and downloaded data sets are below one folder:
``$TRITGRAD_CACHE``, else the user's cache folder. Where that cannot be written, a folder for
temporary files stands in, and that is said once. Libraries that keep caches of their own, and fail
or are slow without, are sent there too if their own folders cannot be written.
"""

import contextlib
import functools
import logging
import os
import stat
import sys
import tempfile
from pathlib import Path

__all__ = ["cache_folder", "settle", "why_not"]

log = logging.getLogger("tritgrad")

#: Bytes that must fit where anything is to be kept.
PROBE = bytes(4096)


def cache_folder(name: str) -> Path:
    """The folder for things of one kind: ``sim`` for cores, ``numba``, or a data set's name."""
    return settle() / name


def settle() -> Path:
    """Decide on the folder, and tell the libraries. Costs nothing the second time.

    Raises
    ------
    OSError
        There is no folder for temporary files either.
    """
    return _settled(os.environ.get("TRITGRAD_CACHE"), os.environ.get("XDG_CACHE_HOME"),
                    os.environ.get("HOME"))


@functools.cache
def _settled(named: str | None, caches: str | None, home: str | None) -> Path:
    import platformdirs

    root = Path(named or platformdirs.user_cache_dir("tritgrad")).absolute()
    reason = why_not(root)
    if reason:
        refused, root = root, _temporary()
        os.environ["TRITGRAD_CACHE"] = str(root)  # for programs that this one starts
        log.warning("tritgrad: cannot write to the cache %s (%s); using %s. Set TRITGRAD_CACHE to "
                    "a folder that can be written", refused, reason, root)
    os.environ.setdefault("NUMBA_CACHE_DIR", str(root / "numba"))
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]
    _send("YOWASP_CACHE_DIR", root / "yowasp",
          platformdirs.user_cache_dir("YoWASP", appauthor=False))
    _send("MPLCONFIGDIR", root / "matplotlib", platformdirs.user_config_dir("matplotlib"),
          platformdirs.user_cache_dir("matplotlib"))
    if os.name == "posix" and not _may_write(Path(platformdirs.user_cache_dir("wasmtime"))):
        os.environ["XDG_CACHE_HOME"] = str(root / "others")  # wasmtime has no name for its own
    return root


def _send(variable: str, folder: Path, *own: str) -> None:
    """Name a library's folder for it, unless the user has, or its own ones will do."""
    if variable not in os.environ and not all(_may_write(Path(path)) for path in own):
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            os.environ[variable] = str(folder)


def why_not(folder: Path) -> str | None:
    """Why nothing can be kept in a folder, which is made if it is missing; None if it can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(PROBE)
    except OSError as error:
        return error.strerror or str(error)
    return None


def _may_write(folder: Path) -> bool:
    """Whether a folder, or the one that it would be made in, can be written; makes nothing."""
    for path in (folder, *folder.parents):
        if os.path.lexists(path):
            return path.is_dir() and os.access(path, os.W_OK | os.X_OK)
    return False


def _temporary() -> Path:
    """A folder of this user alone, the same in each process, so that nothing is compiled twice."""
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    path = Path(tempfile.gettempdir()) / f"tritgrad-cache-{user}"
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    mine = not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o077)
    if stat.S_ISDIR(found.st_mode) and mine and why_not(path) is None:
        return path
    return Path(tempfile.mkdtemp(prefix="tritgrad-cache-"))
