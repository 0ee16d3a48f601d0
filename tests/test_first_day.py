"""docs/first-day.md is what happens when one follows it."""

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

#: How lines begin with which a command of the page ends that fails.
REFUSED = ("tritgrad: ...flowers.csv has the label", "tritgrad: --npz", "tritgrad: cannot write")
PAGE = Path(__file__).parent.parent / "docs/first-day.md"


def commands():
    """(line, command, what it prints) of all ``console`` blocks."""
    lines = PAGE.read_text().splitlines()
    inside, found = False, []
    for number, line in enumerate(lines, 1):
        if line == "```console":
            inside = True
        elif line == "```":
            inside = False
        elif inside and line.startswith("$ "):
            found.append((number, [line[2:]], []))
        elif inside and line.startswith(">") and not found[-1][2]:
            found[-1][1].append(line[2:])
        elif inside:
            found[-1][2].append(line)
    return [(number, "\n".join(command), "\n".join(printed)) for number, command, printed in found]


def test_the_page_is_what_happens(tmp_path):
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "80"}
    checker = doctest.OutputChecker()
    for number, command, wanted in commands():
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        got = re.sub(r"[ \t]+$", "", done.stdout, flags=re.MULTILINE)
        assert checker.check_output(wanted + "\n" if wanted else "", got, doctest.ELLIPSIS), (
            f"line {number}: {command}\nprints\n{got}")
        failed = [line for line in wanted.splitlines() if line.startswith(REFUSED)]
        assert (done.returncode != 0) == bool(failed), f"line {number}: {done.returncode}"
    assert len(commands()) > 15


def test_no_command_of_the_page_is_left_out():
    assert PAGE.read_text().count("\n$ ") == len(commands())
