"""The tutorials are what happens when one runs their blocks, one after the other."""

import re
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).resolve().parents[1] / "docs" / "tutorials").glob("*.md"))


def blocks(page):
    """Line and text of each block of Python."""
    text = page.read_text()
    return [(text[:found.start()].count("\n") + 2, found.group(1))
            for found in re.finditer(r"^```python\n(.*?)^```$", text, re.M | re.S)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_tutorial(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "tutorial"}
    found = blocks(page)
    for line, text in found:
        exec(compile("\n" * (line - 1) + text, str(page), "exec"), names)
    assert len(found) > 2


def test_every_tutorial_is_in_the_index():
    index = (PAGES[0].parents[1] / "index.md").read_text()
    assert all(f"\ntutorials/{page.stem}\n" in index for page in PAGES) and PAGES
