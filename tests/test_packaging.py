"""What is installed: the same package from a wheel, editable, and from a clone of any name."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

#: A module of each folder that is a package, and files that are no modules.
MODULES = ("tritgrad/__main__.py", "tritgrad/errors.py", "tritgrad/boards/icebreaker.py",
           "tritgrad/firmware/isa.py", "tritgrad/host/cli/main.py", "tritgrad/hw/engine.py",
           "tritgrad/model/margin.py", "tritgrad/sim/verilate.py",
           "tritgrad/rules/margin/golden.py", "tritgrad/units/row_sums/rtl.py")
DATA = ("tritgrad/py.typed", "tritgrad/sim/harness.cpp", "tritgrad/sim/memories/flash.hpp",
        "tritgrad/sim/memories/library.cpp", "tritgrad/boards/reports/icebreaker.json",
        "tritgrad/host/run/templates/trace.html", "tritgrad/host/live/static/live.js",
        "tritgrad/model/soft/trace.schema.json")


def run(*command, cwd, **options):
    """Run a command, and show what it printed if it failed."""
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True,
                          check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A copy of what git tracks and would track, in a folder named as a module of Python's own."""
    folder = tmp_path_factory.mktemp("clones") / "copy"
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
                            cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not in a git work tree")
    for name in listed.stdout.decode().split("\0")[:-1]:
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def builder():
    """Skip where the tools that build packages are not installed beside the tests."""
    pytest.importorskip("setuptools_scm", reason="setuptools-scm is not installed")


def test_wheel(clone, tmp_path):
    builder()
    run(sys.executable, "-W", "ignore", "-c",
        "from setuptools.build_meta import build_wheel; build_wheel(__import__('sys').argv[1])",
        tmp_path, cwd=clone)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "site")
    missing = [name for name in (*MODULES, *DATA) if name not in names]
    assert not missing
    every = {f"tritgrad/{p.relative_to(ROOT).as_posix().removeprefix('tritgrad/')}"
             for folder in ("tritgrad", "boards", "firmware", "host", "hw", "model", "sim", "units")
             for p in (ROOT / folder).rglob("*.py")}
    assert every <= names, sorted(every - names)
    assert not [name for name in names if name.startswith(("tests/", "bench/", "hw/"))]
    shown = run(sys.executable, "-c", "import sys; sys.path.insert(0, sys.argv[1]); import runpy; "
                "sys.argv[1:] = ['--version']; runpy.run_module('tritgrad')",
                tmp_path / "site", cwd=tmp_path)
    assert shown.startswith("tritgrad, version ")


def test_pytest_runs_in_a_clone_of_any_name(clone):
    """A folder named after a module of Python's own hides neither that module nor the package."""
    builder()
    run(sys.executable, "-m", "venv", "--without-pip", clone / "env", cwd=clone)
    python = clone / "env" / "bin" / "python"
    (site,) = (clone / "env" / "lib").glob("python*/site-packages")
    (site / "beside.pth").write_text("\n".join(p for p in sys.path if p.endswith("site-packages")))
    run(python, "-W", "ignore", "-c",
        "from setuptools.build_meta import build_editable; build_editable('env')", cwd=clone)
    (wheel,) = (clone / "env").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    found = run(python, "-c", "import copy, tritgrad.hw.engine as e; copy.copy([]); "
                "print(e.__file__)", cwd=clone)
    assert found.strip() == str(clone / "hw" / "engine.py")
    printed = run(python, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider",
                  "tests/firmware/test_frames.py", "tests/hw/parts/test_arith.py", cwd=clone)
    assert " passed" in printed
