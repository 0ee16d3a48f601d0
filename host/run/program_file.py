"""The file of a rule of the user's own."""

from pathlib import Path

from ...errors import BadInput

__all__ = ["read_program"]


def read_program(file: str) -> str:
    """What is in a program's file. Raises `BadInput`."""
    try:
        return Path(file).read_text("utf-8")
    except OSError as error:
        raise BadInput(f"--program {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"--program {file} is no text") from None
