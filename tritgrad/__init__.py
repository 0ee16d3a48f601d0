"""tritgrad: train ternary neural networks on small FPGAs with the open toolchain only.

Attributes
----------
TernaryClassifier
    scikit-learn's estimator, `tritgrad.host.api.estimator`.
Watcher
    Is told how a run goes, `tritgrad.host.run.training`.
"""

from importlib import import_module
from typing import Any

__all__ = ["TernaryClassifier", "Watcher", "__version__"]  # noqa: F822 - see `__getattr__`

__version__: str

#: Where the public names live. They are imported when they are asked for: they load slowly.
PUBLIC = {"TernaryClassifier": ".host.api.estimator", "Watcher": ".host.run.training"}


def __getattr__(name: str) -> Any:
    """A public name, or the version: that takes longer to look up than all else here."""
    if name in PUBLIC:
        found = getattr(import_module(PUBLIC[name], __name__), name)
    elif name == "__version__":
        found = _version()
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("tritgrad")
    except PackageNotFoundError:  # read from a folder where nothing is installed
        return "unknown"
