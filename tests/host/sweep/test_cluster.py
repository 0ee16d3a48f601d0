"""Sweeps on a cluster of processes started elsewhere, and on boards that are not there."""

import json
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest

from tritgrad.boards import BOARDS
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.sweep.grid import points
from tritgrad.host.sweep.work import run_point
from tritgrad.sim.virtual import ModelBoard

from ...sim.ports import serving
from ..command import call, refusal
from .dying import dying_once

distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning",
                                        "ignore::pytest.PytestUnraisableExceptionWarning")

BOARD = BOARDS["icebreaker"]
BASE = TrainOptions(hidden=(8,), epochs=2, limit=200, device="model", encode=None)
QUICK = ("sweep", "--seeds", "1-3", "--grid", "hidden=8", "--grid", "limit=200", "--epochs", "2",
         "--json")


@pytest.fixture
def address(tmp_path):
    """A scheduler without workers, a process of its own."""
    file = tmp_path / "scheduler.json"
    with process("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
                 "--scheduler-file", file) as scheduler:
        yield waited(lambda: json.loads(file.read_text())["address"], scheduler)


@contextmanager
def process(module, *arguments):
    """A program of Dask's, killed behind the block."""
    made = subprocess.Popen([sys.executable, "-m", f"distributed.cli.{module}",
                             *map(str, arguments)], stderr=subprocess.DEVNULL)
    try:
        yield made
    finally:
        made.kill()
        made.wait()


@contextmanager
def worker(address, folder, name, *arguments):
    """A worker that nobody starts again, once the scheduler knows it."""
    with process("dask_worker", address, "--host", "127.0.0.1", "--no-nanny", "--no-dashboard",
                 "--name", name, "--local-directory", folder / "scratch", *arguments) as made, \
            distributed.Client(address, timeout=300) as client:
        waited(lambda: {w["name"] for w in client.scheduler_info(n_workers=-1)["workers"].values()
                        } & {name} or None, made)
        yield made


def waited(found, made):
    """What is found, once it is there and while the process lives."""
    while made.poll() is None:
        try:
            if (value := found()) is not None:
                return value
        except (OSError, ValueError):
            pass
        time.sleep(0.1)
    pytest.fail(f"{made.args} has ended")


def hashes(folder):
    """Of each run of a sweep."""
    return [line.rpartition(",")[2] for line in (folder / "sweep.csv").read_text().splitlines()[1:]]


def alone(folder, **given):
    return [run_point(p.options.as_json(), str(folder / p.name))["state_sha256"]
            for p in points(replace(BASE, **given), {}, (1, 2, 3))]


def test_a_cluster_of_other_processes_loses_a_worker_and_no_run(address, tmp_path):
    assert refusal(*QUICK, "--scheduler", address, "--out", tmp_path / "sweep") == (
        f"--scheduler {address} has no worker; start one: dask worker {address}")
    with worker(address, tmp_path, "one") as one, worker(address, tmp_path, "two") as two:
        assert refusal(*QUICK, "--scheduler", address, "--out", tmp_path / "sweep", "--device",
                       "icebreaker@p1") == (
            f"--scheduler {address} has no worker for icebreaker@p1; start one: dask worker "
            f"{address} --nthreads 1 --resources board=1 --name icebreaker@p1")
        with distributed.Client(address, timeout=300) as client:
            client.run(dying_once(str(tmp_path / "killed")))
        said = json.loads(call(*QUICK, "--scheduler", address, "--ensemble", "--out",
                               tmp_path / "sweep").stdout.splitlines()[-1])
        ended = sorted(str(w.poll()) for w in (one, two))
    assert ended == ["-9", "None"]
    assert (said["runs"], said["failed"]) == (3, 0)
    assert 0 < said["settings"][0]["vote"] <= 100
    assert hashes(tmp_path / "sweep") == alone(tmp_path / "alone")


def test_two_boards_that_are_not_there(tmp_path):
    with ExitStack() as held:
        names = []
        for n in (1, 2):
            (tmp_path / f"board{n}").mkdir()
            port = held.enter_context(serving(ModelBoard(BOARD.config, BOARD.rates),
                                              tmp_path / f"board{n}"))
            names.append(f"icebreaker@{port.link}")
        said = json.loads(call(*QUICK, "--device", ",".join(names), "--out",
                               tmp_path / "sweep").stdout.splitlines()[-1])
    assert (said["runs"], said["failed"]) == (3, 0)
    assert said["settings"][0]["luts"] == 4312  # of the report in the repository
    assert hashes(tmp_path / "sweep") == alone(tmp_path / "alone")


def test_a_board_beside_a_worker_of_a_cluster(address, tmp_path):
    """The worker has threads for two runs, and one board."""
    with serving(ModelBoard(BOARD.config, BOARD.rates), tmp_path) as port:
        name = f"icebreaker@{port.link}"
        with worker(address, tmp_path, "plain"), worker(address, tmp_path, name, "--nthreads", "2",
                                                        "--resources", "board=1"):
            call(*QUICK, "--scheduler", address, "--device", name, "--out", tmp_path / "sweep")
    rows = (tmp_path / "sweep" / "sweep.csv").read_text().splitlines()[1:]
    assert [row.split(",")[3] for row in rows] == [name] * 3
    assert hashes(tmp_path / "sweep") == alone(tmp_path / "alone")


def test_a_grid_that_a_run_refuses_says_why(tmp_path):
    with serving(ModelBoard(BOARD.config, BOARD.rates), tmp_path) as port:
        assert refusal(*QUICK, "--grid", "counter_bits=10", "--device", f"icebreaker@{port.link}",
                       "--out", tmp_path / "sweep") == (
            f"the core on {port.link} has counter bits 8, the network 64-8-10 wants 10")
