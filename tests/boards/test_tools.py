"""Tools from wheels: run as children, watched, stopped with their children, failures told."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tritgrad.boards.tools import TOOLS, EndlessError, Tool, last_error, run_tool
from tritgrad.errors import ToolError


@pytest.fixture
def tool(monkeypatch):
    """Puts a tool in place that runs some Python."""
    def put(code):
        monkeypatch.setitem(TOOLS, "stand-in", Tool("stand-in", "numpy", code))
        return "stand-in"
    return put


def test_every_tool_is_installed_and_tells_its_version():
    assert {name for name, tool in TOOLS.items() if not tool.version} == set()


def test_output_goes_to_the_log_and_back(tmp_path, tool):
    said = run_tool(tool("print('a', *sys.argv[1:])"), ["b", "c"], tmp_path, "it.log")
    assert said == "a b c\n" == (tmp_path / "it.log").read_text()


def test_a_real_tool_runs_without_a_path(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert "Yosys 0." in run_tool("yosys", ["--version"], tmp_path, "yosys.log")


def test_phases_are_said_once_and_in_their_order(tmp_path, tool):
    said = []
    run_tool(tool("print('one', 'two', 'one', 'three', 'two', sep=chr(10))"), [], tmp_path, "log",
             said.append, (("one", "first"), ("two", "second"), ("thr.e", "third")))
    assert said == ["first", "second", "third"]


def test_failure_gives_the_last_error_and_the_log(tmp_path, tool):
    name = tool("print('ERROR: no such pin', 'and so on', sep=chr(10)); sys.exit(3)")
    with pytest.raises(ToolError, match=r"stand-in failed: no such pin \(see .*it\.log\)"):
        run_tool(name, [], tmp_path, "it.log")
    assert "no such pin" in run_tool(name, [], tmp_path, "it.log", check=False)


def test_a_tool_that_goes_on_without_an_end_is_stopped(tmp_path, tool):
    name = tool("import time; print('iter=99 and', 'iter=100 and', sep=chr(10), flush=True); "
                "time.sleep(600)")
    with pytest.raises(EndlessError, match=r"stand-in was stopped: try another \(see .*it\.log\)"):
        run_tool(name, [], tmp_path, "it.log", check=False, endless=("^iter=100 ", "try another"))
    assert run_tool(tool("print('iter=99 ')"), [], tmp_path, "it.log",
                    endless=("^iter=100 ", "try another")) == "iter=99 \n"


def test_missing_wheel_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(TOOLS, "gone", Tool("gone", "no-such-wheel-at-all", ""))
    with pytest.raises(ToolError, match=r"gone is not installed: pip install 'tritgrad\[boards\]'"):
        run_tool("gone", [], tmp_path, "it.log")


@pytest.mark.parametrize(("log", "expected"), [
    ("ERROR: a\nERROR: b\nmore", "b"), ("just this", "just this"), ("", "no output"),
    ("ModuleNotFoundError: No module named 'x'", "ModuleNotFoundError: No module named 'x'")])
def test_last_error(log, expected):
    assert last_error(log) == expected


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_stops_the_tool_and_its_children(tmp_path, number):
    """A signal reaches the program that waits; whatever it started must be gone afterwards."""
    child = "import time; time.sleep(600)"
    script = f"""
import pathlib
from tritgrad.boards.tools import TOOLS, Tool, run_tool
TOOLS["slow"] = Tool("slow", "numpy", '''import os, subprocess, time
child = subprocess.Popen([sys.executable, "-c", {child!r}])
print(os.getpid(), child.pid, flush=True)
time.sleep(600)''')
run_tool("slow", [], pathlib.Path("."), "slow.log")
"""
    waiting = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path,
                               stderr=subprocess.DEVNULL)
    log = tmp_path / "slow.log"
    try:
        while not (log.exists() and log.read_text().endswith("\n")):
            assert waiting.poll() is None
            time.sleep(0.05)
        children = [int(child) for child in log.read_text().split()]
        assert all(alive(child) for child in children)
        waiting.send_signal(number)
        assert waiting.wait(timeout=60) != 0
    finally:
        waiting.kill()
    assert len(children) == 2
    deadline = time.monotonic() + 60
    while any(alive(child) for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(number):
    """Whether a process runs; one that is over and not yet collected does not."""
    try:
        os.kill(number, 0)
        with open(f"/proc/{number}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
