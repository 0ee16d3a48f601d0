"""The site is built without a warning: no link to nowhere, no broken docstring, no failing cell."""

import html
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"


#: Of each tutorial something that a cell of it prints, and whether it draws.
PRINTED = {"digits": (r"% of 450 rows that it has not seen", True),
           "stream": (r"learning on, last 1,000 rows: 9\d\.\d %", True),
           "rule": (r"--program wrong\.asm: line 6: SKIP end: no such label", False),
           "imported": (r"test rows right, %: 94\.2 ", False),
           "search": (r"% with \{.*hidden.*counter_bits.*\}", False)}


def test_the_site_is_built_without_a_warning_and_its_notebooks_run(tmp_path):
    for name in ("sphinx", "myst_nb", "furo", "optuna", "onnx", "matplotlib"):
        pytest.importorskip(name, reason=f"{name} is not installed")
    environment = os.environ | {"IPYTHONDIR": str(tmp_path / "ipython")}
    done = subprocess.run([sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q",
                           "-d", tmp_path / "read", DOCS, tmp_path / "site"],
                          capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    index = (tmp_path / "site" / "index.html").read_text()
    assert "Digits in five minutes" in index and "_images/live.png" in index
    api = (tmp_path / "site" / "api.html").read_text()
    assert 'id="tritgrad.TernaryClassifier.partial_fit"' in api
    assert set(PRINTED) == {page.stem for page in (DOCS / "tutorials").glob("*.md")}
    for name, (printed, draws) in PRINTED.items():
        page = (tmp_path / "site" / "tutorials" / f"{name}.html").read_text()
        cells = "\n".join(re.findall(r'<div class="cell_output.*?</div>\s*</div>', page, re.S))
        assert re.search(printed, html.unescape(re.sub(r"<[^>]+>", "", cells))), name
        assert ("<img" in cells) == draws, name
        assert list((tmp_path / "site" / "_downloads").glob(f"*/{name}.ipynb"))
        assert loaded(page) and not [n for n in loaded(page) if "//" in n]  # it works offline
    assert loaded(index) and not [n for n in loaded(index) if "//" in n]


def loaded(page):
    """What a page loads."""
    return re.findall(r'<(?:script|link rel="stylesheet"|img)[^>]*(?:src|href)="([^"]+)"', page)


def test_links_of_the_readme_lead_somewhere():
    text = (DOCS.parent / "README.md").read_text()
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text)
             if "://" not in link]
    assert len(links) > 10 and [x for x in links if not (DOCS.parent / x).exists()] == []


def test_tables_of_the_readme_are_those_of_the_results():
    def rows(path):
        return [line for line in path.read_text().splitlines() if line.startswith("| ")]

    shown, whole = rows(DOCS.parent / "README.md"), rows(DOCS / "results.md")
    assert len(shown) > 20 and [row for row in shown if row not in whole] == []
