"""Where what is compiled is kept, also where nothing can be kept."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tritgrad import cache

from ..command import call

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def own(monkeypatch, folder):
    """A cache of this test alone, with something of each kind in it."""
    monkeypatch.setenv("TRITGRAD_CACHE", str(folder / "kept"))
    for name in ("sim/a.so", "sim/build-1/top.v", "numba/x/a.nbc", "mnist/images"):
        (folder / "kept" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "kept" / name).write_bytes(bytes(1000))
    return folder / "kept"


def test_cache_shows_what_is_kept(own):
    shown = call("cache", "--show").stdout
    assert shown == call("cache").stdout and f"cache: {own}\n" in shown
    found = json.loads(call("cache", "--json").stdout)
    assert found["cache"] == str(own) and found["removed"] == []
    assert [(row["name"], row["files"], row["bytes"]) for row in found["folders"]] == [
        ("mnist", 1, 1000), ("numba", 1, 1000), ("sim", 2, 2000)]


def test_cache_clears_all_but_data_sets(own):
    assert "removed numba, sim: 0.0 MB" in call("cache", "--clear").stdout
    assert os.listdir(own) == ["mnist"]
    assert "removed nothing" in call("cache", "--clear").stdout


@pytest.fixture
def nowhere(folder):
    """An environment in which nothing that a program keeps can be written, root or not."""
    Path("file").touch()
    kept = {name: value for name, value in os.environ.items()
            if name not in ("TRITGRAD_CACHE", "NUMBA_CACHE_DIR", "MPLCONFIGDIR", "XDG_CACHE_HOME",
                            "XDG_CONFIG_HOME", "YOWASP_CACHE_DIR")}
    Path("tmp").mkdir()
    return kept | {"HOME": str(folder / "file"), "TMPDIR": str(folder / "tmp"),
                   "PYTHONDONTWRITEBYTECODE": "1"}


def run(environment, *arguments):
    return subprocess.run([sys.executable, "-m", "tritgrad", *arguments], env=environment,
                          capture_output=True, text=True)


def test_a_home_that_cannot_be_written_is_said_once(nowhere):
    # numba's and matplotlib's caches, and wasmtime's, which Amaranth's Yosys needs
    for arguments in (["train", "--device", "model", "--hidden", "4", "--epochs", "1", "--limit",
                       "50", "--out", "run"],
                      ["verilog", "--lanes", "4", "--banks", "2", "-o", "core.v"]):
        done = run(nowhere, *arguments)
        assert done.returncode == 0, done.stderr
        told = [line for line in done.stderr.splitlines() if "cache" in line]
        assert len(told) == 1
        assert told[0].startswith(f"tritgrad: cannot write to the cache {Path('file').absolute()}")
        assert "Set TRITGRAD_CACHE to a folder that can be written" in told[0]
    assert Path("run/curve.png").exists() and Path("core.v").exists()
    (stand_in,) = Path("tmp").glob("tritgrad-cache-*")
    assert list((stand_in / "numba").rglob("*.nbi"))
    assert stand_in.stat().st_mode & 0o077 == 0


def test_a_stand_in_of_somebody_else_is_not_used(monkeypatch, folder, caplog):
    monkeypatch.setattr(cache.tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TRITGRAD_CACHE", "file/below")
    Path("file").touch()
    Path(f"tritgrad-cache-{os.getuid()}").mkdir()
    Path(f"tritgrad-cache-{os.getuid()}").chmod(0o777)
    found = cache.settle()
    assert found.parent == folder and found.name != f"tritgrad-cache-{os.getuid()}"
    assert cache.settle() == found == Path(os.environ["TRITGRAD_CACHE"])
    assert len(caplog.messages) == 1


def test_a_full_disk_is_no_place_for_a_cache(monkeypatch, folder):
    class Full:
        def __init__(self, dir):
            raise OSError(28, os.strerror(28))
    monkeypatch.setattr(cache.tempfile, "TemporaryFile", Full)
    assert cache.why_not(folder / "kept") == os.strerror(28)
