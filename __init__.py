"""tritgrad: train ternary neural networks on small FPGAs with the open toolchain only."""

__version__ = "0.1.0"
