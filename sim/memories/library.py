"""The shared library of the models of memories, compiled once and kept in the cache."""

import ctypes
import functools
import hashlib
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from ...errors import DeviceError, ToolError
from ..toolchain import find_compiler
from ..verilate import cache_folder
from .parts import FlashPart, HyperPart, SdramPart, structure

__all__ = ["MemoryViolation", "Model"]

_FOLDER = Path(__file__).resolve().parent
_FLAGS = ("-std=c++17", "-O2", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror")
_POINTER, _NUMBER, _WORD = ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint32
_BOUND = {
    "sdram_create": (_POINTER, _POINTER, _NUMBER),
    "sdram_destroy": (None, _POINTER),
    "sdram_step": (_WORD, _POINTER, _NUMBER, _WORD, _WORD, _WORD),
    "sdram_broken": (ctypes.c_char_p, _POINTER),
    "sdram_count": (_NUMBER, _POINTER, ctypes.c_int),
    "sdram_peek": (None, _POINTER, _NUMBER, _NUMBER, _POINTER),
    "sdram_poke": (None, _POINTER, _NUMBER, _NUMBER, _POINTER),
    "flash_create": (_POINTER, _POINTER, _NUMBER, ctypes.c_char_p, _NUMBER, ctypes.c_int,
                     ctypes.c_int),
    "flash_destroy": (None, _POINTER),
    "flash_step": (_WORD, _POINTER, _NUMBER, _WORD),
    "flash_broken": (ctypes.c_char_p, _POINTER),
    "flash_count": (_NUMBER, _POINTER, ctypes.c_int),
    "flash_cells": (_POINTER, _POINTER),
    "flash_power_cycle": (None, _POINTER, ctypes.c_int),
    "hyper_create": (_POINTER, _POINTER, _NUMBER),
    "hyper_destroy": (None, _POINTER),
    "hyper_step": (_WORD, _POINTER, _NUMBER, _WORD, _WORD),
    "hyper_broken": (ctypes.c_char_p, _POINTER),
    "hyper_cells": (_POINTER, _POINTER),
    "hypers_create": (_POINTER, _POINTER, _NUMBER),
    "hypers_destroy": (None, _POINTER),
    "hypers_step": (_WORD, _POINTER, _NUMBER, _WORD, _WORD),
    "hypers_broken": (ctypes.c_char_p, _POINTER),
    "hypers_cells": (_POINTER, _POINTER, ctypes.c_int),
}


class MemoryViolation(DeviceError):
    """A memory's rule was broken: what happened, when, and what the data sheet asks for."""


class Model:
    """A model in the library; `KIND` begins the names of its functions."""

    KIND = ""
    #: How what it violates is said.
    TITLE = ""

    def __init__(self, part: SdramPart | FlashPart | HyperPart, *arguments: Any):
        self._library = library()
        self._made = (ctypes.byref(structure(part)), *arguments)
        self._model: int | None = self._function("create")(*self._made)

    def _function(self, name: str) -> Any:
        return getattr(self._library, f"{self.KIND}_{name}")

    @property
    def handle(self) -> int | None:
        """The model itself, for a simulation that steps it; None once it is closed."""
        return self._model

    def power_cycle(self) -> None:
        """Power off and on; time begins anew, perhaps at another `handle`."""
        self.close()
        self._model = self._function("create")(*self._made)

    def check(self) -> None:
        """Raise `MemoryViolation` if a rule has been broken."""
        broken = self._function("broken")(self._model).decode()
        if broken:
            raise MemoryViolation(f"{self.TITLE} {broken}")

    def close(self) -> None:
        """Let it go; the file of a flash keeps its contents."""
        if self._model:
            self._function("destroy")(self._model)
            self._model = None


@functools.cache
def library() -> Any:
    """The library, its functions declared and named without their prefix.

    Raises
    ------
    ToolError
        There is no C++ compiler, it fails, or the cache cannot be written.
    """
    loaded = ctypes.CDLL(str(_built()))
    for name, (result, *arguments) in _BOUND.items():
        function = getattr(loaded, f"memories_{name}")
        function.restype, function.argtypes = result, arguments
        setattr(loaded, name, function)
    return loaded


def _built() -> Path:
    compiler = find_compiler()
    digest = hashlib.sha256(repr((compiler, _FLAGS)).encode())
    for path in sorted((*_FOLDER.glob("*.hpp"), *_FOLDER.glob("*.cpp"))):
        digest.update(path.read_bytes())
    target = cache_folder() / f"memories-{digest.hexdigest()[:32]}.so"
    if target.exists():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix="memories-") as work:
            made = Path(work) / "library.so"
            done = subprocess.run(
                [*compiler.command, *_FLAGS, str(_FOLDER / "library.cpp"), "-o", str(made)],
                capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise ToolError(f"{compiler.version} failed on the models of memories: "
                                f"{(done.stderr.splitlines() or ['nothing said'])[0]}")
            os.replace(made, target)
    except OSError as error:
        raise ToolError(f"cannot write to the cache {str(target.parent)!r} ({error.strerror}); set "
                        "TRITGRAD_CACHE to another folder") from None
    return target
