"""Sweeps on processes of this machine."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest

from tritgrad.errors import BadInput
from tritgrad.host.run.compare import read_run
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.running import begun, planned
from tritgrad.host.run.training import Watcher
from tritgrad.host.run.watchers import HISTORY
from tritgrad.host.sweep.grid import parse_grid, points
from tritgrad.host.sweep.work import RESULT, finished, run_point

from ..command import call, refusal
from .dying import dying_once

pytest.importorskip("distributed", reason="dask.distributed is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning",
                                        "ignore::pytest.PytestUnraisableExceptionWarning")

BASE = TrainOptions(hidden=(8,), epochs=2, limit=300, device="model")


def test_a_run_ends_once_and_is_known_again(tmp_path):
    result = run_point(BASE.as_json(), str(tmp_path / "run"))
    assert result["state_bits"] == 8 * (64 * 8 + 8 * 10) and result["luts"] is None
    assert finished(tmp_path / "run", BASE) == json.loads(json.dumps(result))
    before = (tmp_path / "run" / RESULT).stat().st_mtime_ns
    assert run_point(BASE.as_json(), str(tmp_path / "run"))["seconds"] == result["seconds"]
    assert (tmp_path / "run" / RESULT).stat().st_mtime_ns == before
    assert finished(tmp_path / "none", BASE) is None
    compared = read_run(str(tmp_path / "run"))
    assert [e.test_accuracy for e in compared.epochs] == result["test_accuracy"]
    assert len((tmp_path / "run" / HISTORY).read_text().splitlines()) == 3
    with pytest.raises(BadInput, match="run holds a run with another hidden; choose another --out"):
        finished(tmp_path / "run", TrainOptions(hidden=(9,), epochs=2, limit=300, device="model"))
    (tmp_path / "run" / RESULT).write_text("[]")
    with pytest.raises(BadInput, match="result.json is no result of a sweep"):
        finished(tmp_path / "run", BASE)


def test_an_open_coding_is_chosen_as_for_one_run(tmp_path):
    rows, y = np.random.default_rng(1).normal(size=(30, 3)), np.arange(30) % 2
    np.savez(tmp_path / "rows.npz", x_train=rows, y_train=y, x_test=rows[:5], y_test=y[:5])
    options = TrainOptions(dataset=str(tmp_path / "rows.npz"), hidden=(4,), epochs=2,
                           encode="auto", device="model")
    alone = begun(planned(options, options.load_data(), Watcher()), None, Watcher()).run()
    result = run_point(options.as_json(), str(tmp_path / "run"))
    assert result["encode"] == alone.data.coding.text != "planes"
    assert result["state_sha256"] == alone.state_sha256


def test_kernels_are_state_too(tmp_path):
    options = replace(BASE, conv="3x3x3", pool=2, conv_counter_bits=10, limit=100, epochs=1)
    result = run_point(options.as_json(), str(tmp_path / "run"))
    assert result["state_bits"] == 10 * 3 * 9 + 8 * (27 * 8 + 8 * 10)


def test_a_worker_that_is_killed_costs_no_run(tmp_path):
    from tritgrad.host.sweep.run import cluster, run_sweep

    flag = str(tmp_path / "killed")
    runs = points(BASE, {}, (1, 2, 3))
    told = []
    with cluster(2) as client:
        client.run(dying_once(flag))
        results = run_sweep(client, runs, tmp_path / "sweep", (),
                            lambda point, result, error: told.append((point.name, error)))
    assert os.path.exists(flag)
    assert sorted(told) == [(point.name, None) for point in runs]
    alone = [run_point(p.options.as_json(), str(tmp_path / f"alone-{n}"))
             for n, p in enumerate(runs)]
    assert [r["state_sha256"] for r in results] == [r["state_sha256"] for r in alone]


def test_each_board_is_leased_to_one_run_at_a_time(tmp_path):
    from tritgrad.host.sweep.run import cluster, run_sweep

    folder, boards = str(tmp_path), ("icebreaker@p1", "icebreaker@p2")

    def pretend():
        """In the worker: a run only notes which board it had, and that nobody else had it."""
        import os

        import tritgrad.host.sweep.run as module

        def noted(stored, place, device):
            lease = os.path.join(folder, device)
            os.close(os.open(lease, os.O_CREAT | os.O_EXCL))
            os.unlink(lease)
            return {"device": device, "seed": stored["seed"]}
        module.run_point = noted

    runs = points(BASE, parse_grid(["hidden=8,9"]), range(1, 6))
    with cluster(1, boards) as client:
        client.run(pretend)
        results = run_sweep(client, runs, tmp_path / "sweep", boards, lambda *told: None)
    assert [r["seed"] for r in results] == [p.options.seed for p in runs]
    assert {r["device"] for r in results} <= set(boards)


def test_the_command_goes_on_where_it_was(tmp_path):
    arguments = ("sweep", "--seeds", "1-2", "--grid", "hidden=8,12", "--grid", "limit=200",
                 "--epochs", "1", "--jobs", "1", "--out", tmp_path, "--json")
    run_point(TrainOptions(hidden=(8,), limit=200, epochs=1, device="model").as_json(),
              str(tmp_path / "hidden=8_limit=200/seed-1"))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob(f"*/*/{RESULT}")}
    assert len(before) == 1
    said = json.loads(call(*arguments).stdout.splitlines()[-1])
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert (said["runs"], said["failed"]) == (4, 0)
    assert [(s["name"], len(s["accuracies"])) for s in said["settings"]] == [
        ("hidden=8 limit=200", 2), ("hidden=12 limit=200", 2)]
    assert len((tmp_path / "sweep.csv").read_text().splitlines()) == 5
    assert (tmp_path / "pareto.png").is_file()


def test_devices_that_are_refused(tmp_path):
    assert refusal("sweep", "--device", "model,sim") == (
        "--device must be model, sim, or one or more BOARD@PORT, not 'model,sim'")
    assert refusal("sweep", "--device", "a@b,a@b") == "--device a@b,a@b names a board twice"
    assert refusal("sweep", "--seeds", "3", "--ensemble") == (
        "--ensemble needs two seeds or more, not --seeds 3 alone")
    assert refusal("sweep", "--grid", "hidden=0", "--seeds", "1").startswith(
        "--hidden must be sizes from 1 to 65535, not 0")


def test_when_all_runs_fail_nothing_else_is_told(tmp_path):
    done = call("sweep", "--device", f"icebreaker@{tmp_path / 'none'}", "--seeds", "1", "--epochs",
                "1", "--out", tmp_path / "sweep", code=1)
    told, last = done.stderr.splitlines()
    assert told.startswith(f"1/1  all  seed 1  failed: no such port: {tmp_path / 'none'}")
    assert last == "tritgrad: all 1 runs failed; the same command tries them again"
    assert done.stdout == ""
