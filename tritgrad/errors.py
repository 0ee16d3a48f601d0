"""Typed errors. The command line turns each into one line and an exit code."""

__all__ = ["BadInput", "ConfigError", "DeviceError", "OutputError", "ToolError", "TritgradError"]


class TritgradError(Exception):
    """A failure with a message for the user: exit code 1."""

    exit_code = 1


class BadInput(TritgradError, ValueError):
    """The user gave something that cannot be used: exit code 2."""

    exit_code = 2


class ConfigError(BadInput):
    """A field of a configuration is outside what is allowed."""


class DeviceError(TritgradError):
    """A device refused a frame, fell silent or answered nonsense."""


class OutputError(TritgradError):
    """A file could not be written though its name is good: the disk is full, or fails."""


class ToolError(TritgradError):
    """An external tool is missing or failed."""
