"""The committed reference pages are what the tables say."""

from pathlib import Path

import pytest

from tritgrad.document import PAGES

DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_up_to_date(name):
    assert (DOCS / name).read_text() == PAGES[name]()
