"""tritgrad: train ternary neural networks on small FPGAs with the open toolchain only."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("tritgrad")
except PackageNotFoundError:  # read from a folder where nothing is installed
    __version__ = "unknown"
