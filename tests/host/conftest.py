"""What the tests of the command share."""

import pytest

from tritgrad.boards import BOARDS
from tritgrad.host.selftest import line as line_steps


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def loader(monkeypatch):
    """A loader that knows every board, in the place of the one that this machine has or has not."""
    names = [board.loader for board in BOARDS.values() if board.loader]
    monkeypatch.setattr(line_steps, "CALL", f"print(*{names!r}, sep='\\n')")
