import csv

from tritgrad.host.run.options import TrainOptions
from tritgrad.host.sweep.grid import parse_grid, points
from tritgrad.host.sweep.tables import (
    Setting,
    as_csv,
    pareto,
    pareto_front,
    settings_csv,
    summed_up,
)

RUNS = points(TrainOptions(device="model"), parse_grid(["hidden=8,16"]), (1, 2))


def result(accuracy, cycles=None, bits=100):
    return {"test_accuracy": [10.0, accuracy], "train_accuracy": [11.0, 99.0], "device": "model",
            "cycles_per_sample": cycles, "luts": None, "state_bits": bits, "updates": 3,
            "flips": 2, "seconds": 1.5, "state_sha256": "ab"}


def test_seeds_are_summed_up_and_runs_that_failed_are_left_out():
    first, second = summed_up(RUNS, [result(90.0, [100.0, 140.0]), result(94.0, [80.0, 120.0]),
                                     None, result(97.0, [200.0, 200.0])])
    assert (first.mean, first.spread, first.cycles) == (92.0, 8 ** 0.5, 110.0)
    assert (second.accuracies, second.spread, second.luts) == ((97.0,), None, None)


def test_cycles_are_known_only_if_every_run_counted_them():
    first = summed_up(RUNS[:2], [result(90.0, [100.0]), result(94.0)])[0]
    assert first.cycles is None and first.state_bits == 100


def test_the_front_is_what_nothing_cheaper_beats():
    def of(name, accuracy, cost):
        return Setting(name, (accuracy,), cost, None, None)

    every = [of("c", 95.0, 30), of("a", 90.0, 10), of("worse", 89.0, 20), of("b", 94.0, 20),
             of("same", 95.0, 40), of("free", 99.0, None)]
    assert [s.name for s in pareto_front(every, "cycles")] == ["a", "b", "c"]
    assert pareto_front(every, "luts") == []


def test_networks_that_vote_cost_as_much_as_all_of_them():
    results = [result(90.0, [100.0]), result(94.0, [80.0]), result(95.0, [1.0]), None]
    first, second = summed_up(RUNS, results, {"hidden=8": 96.0})
    one = first.as_one()
    assert (one.name, one.accuracies, one.cycles, one.state_bits, one.vote) == (
        "hidden=8, vote of 2", (96.0,), 180.0, 200.0, None)
    assert second.as_one() is None


def test_a_row_a_setting(tmp_path):
    results = [result(90.0, [100.0]), result(94.0, [80.0]), result(95.0, [1.0]), None]
    settings = summed_up(RUNS, results, {"hidden=8": 96.0})
    settings_csv(settings, tmp_path / "settings.csv")
    first, second = csv.DictReader((tmp_path / "settings.csv").read_text().splitlines())
    assert first == {"setting": "hidden=8", "runs": "2", "mean": "92.0",
                     "deviation": str(8 ** 0.5), "least": "90.0", "most": "94.0", "vote": "96.0",
                     "cycles": "90.0", "luts": "", "state_bits": "100.0"}
    assert (second["runs"], second["deviation"], second["vote"]) == ("1", "", "")
    pareto(settings, "with votes", tmp_path / "pareto.png")
    assert (tmp_path / "pareto.png").read_bytes()[:4] == b"\x89PNG"


def test_files(tmp_path):
    results = [result(90.0), None, result(95.0, bits=200), result(96.0, bits=200)]
    as_csv(RUNS, results, tmp_path / "sweep.csv")
    rows = list(csv.DictReader((tmp_path / "sweep.csv").read_text().splitlines()))
    assert [(r["hidden"], r["seed"], r["test_accuracy"], r["cycles_per_sample"]) for r in rows] == [
        ("8", "1", "90.0", ""), ("16", "1", "95.0", ""), ("16", "2", "96.0", "")]
    pareto(summed_up(RUNS, results), "a sweep", tmp_path / "pareto.png")
    assert (tmp_path / "pareto.png").read_bytes()[:4] == b"\x89PNG"
