"""MNIST from the four IDX files in the folder ``$TRITGRAD_DATA/mnist``, and where we run."""

import gzip
import os
import platform
import sys
from pathlib import Path
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

import tritgrad

__all__ = ["load", "machine"]

Bytes = npt.NDArray[np.uint8]


def load(part: str, planes: int, name: str = "mnist") -> tuple[Bytes, Bytes]:
    """Images (rows, 784) of `planes` bits and labels (rows,); `part` is "train" or "t10k".

    `name` is the folder's.
    """
    folder = os.environ.get("TRITGRAD_DATA")
    if not folder:
        sys.exit(f"set TRITGRAD_DATA to the folder that holds {name}/ with the four IDX .gz files")
    images = _read(Path(folder, name, f"{part}-images-idx3-ubyte.gz"), 16)
    labels = _read(Path(folder, name, f"{part}-labels-idx1-ubyte.gz"), 8)
    return images.reshape(-1, 784) >> np.uint8(8 - planes), labels


def _read(path: Path, header: int) -> Bytes:
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


def machine() -> dict[str, Any]:
    """What a result depends on: machine, versions, and how busy the machine is now."""
    cpu = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":")[1].strip() for line in info.read_text().splitlines()
                 if line.startswith("model name")]
        cpu = names[0] if names else cpu
    return {"cpu": cpu, "cores": os.cpu_count(), "system": platform.system(),
            "python": platform.python_version(), "numpy": np.__version__,
            "numba": numba.__version__, "tritgrad": tritgrad.__version__,
            "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None}
