"""Names that come from outside."""

import pytest

from tritgrad.host.text import visible


@pytest.mark.parametrize("text, shown", [
    ("größe 猫 café\u00a0x\u3000y", "größe 猫 café\u00a0x\u3000y"), ("[bold]x[/bold] :car:", None),
    ("a\x1b[2Jb", r"a\x1b[2Jb"), ("a\nb\tc", r"a\nb\tc"), ("\u202eevil", r"\u202eevil"),
    ("\udcff", r"\udcff"), ("\x00", r"\x00")])
def test_what_acts_on_a_terminal_is_written_out(text, shown):
    assert visible(text) == (text if shown is None else shown)
