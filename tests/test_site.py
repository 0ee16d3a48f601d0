"""The site is built without a warning: no link to nowhere, no broken docstring."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"


def test_the_site_is_built_without_a_warning(tmp_path):
    for name in ("sphinx", "myst_parser", "furo"):
        pytest.importorskip(name, reason=f"{name} is not installed")
    done = subprocess.run([sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q",
                           "-d", tmp_path / "read", DOCS, tmp_path / "site"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    index = (tmp_path / "site" / "index.html").read_text()
    assert "Digits in five minutes" in index and "_images/live.png" in index
    api = (tmp_path / "site" / "api.html").read_text()
    assert 'id="tritgrad.TernaryClassifier.partial_fit"' in api
    loaded = re.findall(r"<(?:script|link rel=\"stylesheet\"|img)[^>]*(?:src|href)=\"([^\"]+)\"",
                        index)
    assert loaded and not [name for name in loaded if "//" in name]  # it works offline


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
