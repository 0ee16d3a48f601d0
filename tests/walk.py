"""The walks of docs/contributing.md: a page's lines, added to a copy of the tree."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["added", "blocks", "copied", "python", "ran"]

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("boards", "firmware", "host", "hw", "model", "sim", "units")
BLOCK = re.compile(r'^```py\n# (\S+?)(?:, behind "([^\n]*)")?\n(.*?)^```$', re.M | re.S)


def blocks(heading: str) -> list[tuple[str, str, str]]:
    """Of each block of a section of the page: file, the line that it goes behind or "", text."""
    page = (ROOT / "docs" / "contributing.md").read_text()
    section = page.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return [(file, behind.replace('\\"', '"'), text)
            for file, behind, text in BLOCK.findall(section)]


def copied(site: Path) -> None:
    """Copy the package into a folder."""
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "tritgrad", site / "tritgrad", ignore=ignore)
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, site / "tritgrad" / folder, ignore=ignore)


def added(site: Path, heading: str) -> list[str]:
    """Copy the package into a folder, with the lines of a section of the page; files touched."""
    copied(site)
    touched = []
    for file, behind, text in blocks(heading):
        path = site / "tritgrad" / file.removeprefix("tritgrad/")
        if behind:
            before = path.read_text()
            assert before.count(f"{behind}\n") == 1, (file, behind)
            path.write_text(before.replace(f"{behind}\n", f"{behind}\n{text}"))
        else:
            assert not path.exists(), file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        touched.append(file)
    return touched


def ran(site: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """How Python ends, with the copy for `tritgrad`."""
    environment = os.environ | {"PYTHONPATH": str(site), "COLUMNS": "200"}
    return subprocess.run([sys.executable, *map(str, arguments)], env=environment, cwd=site,
                          check=False, capture_output=True, text=True)


def python(site: Path, *arguments: object) -> str:
    """What Python prints, with the copy for `tritgrad`."""
    done = ran(site, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
