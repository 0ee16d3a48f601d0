"""The tutorials are notebooks; the test of the site runs them, here is what they have in common."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = sorted((DOCS / "tutorials").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_a_notebook(page):
    text = page.read_text()
    assert text.startswith("---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n# ")
    assert f"{{nb-download}}`{page.stem}.ipynb`" in text
    cells = re.findall(r"^```\{code-cell\}\n(.*?)^```$", text, re.M | re.S)
    assert len(cells) > 2 and "```python" not in text  # what looks like a cell is one
    assert all(len(line) <= 100 for cell in cells for line in cell.splitlines())


def test_every_tutorial_is_in_the_index():
    index = (DOCS / "index.md").read_text()
    assert all(f"\ntutorials/{page.stem}\n" in index for page in PAGES) and PAGES
