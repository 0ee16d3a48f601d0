"""tritgrad: train ternary neural networks on small FPGAs with the open toolchain only."""

from typing import Any

__version__: str


def __getattr__(name: str) -> Any:
    """The version, looked up when it is asked for: that takes longer than all else here."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("tritgrad")
    except PackageNotFoundError:  # read from a folder where nothing is installed
        found = "unknown"
    globals()["__version__"] = found
    return found
