"""Names of devices on the command line."""

__all__ = ["board_and_port"]


def board_and_port(device: str) -> tuple[str, str] | None:
    """The two parts of ``BOARD@PORT``, the board empty in ``@PORT``; None for other devices."""
    board, at, port = device.partition("@")
    return (board, port) if at and port else None
