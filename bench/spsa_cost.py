"""What training from losses costs: LUTs of a core with and without it, cycles of a step.

The cycles are those that STATUS reports: the program runs and does not wait for a sample. Those of
a step are the difference between runs of two and of six steps. Samples are the first of an epoch's
order, counters the initial ones; a core skips words of inputs and activations that are all 0.
"""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from _rtl import write
from array_area import SYNTH
from rich.console import Console
from rich.table import Table
from trace_cost import area

from tritgrad.boards.tools import TOOLS
from tritgrad.firmware.programs import train_spsa
from tritgrad.host.data.datasets import Dataset, load
from tritgrad.host.device.driver import Driver, layer_table
from tritgrad.host.device.runner import RunStats
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import SimTransport
from tritgrad.model.config import CoreConfig
from tritgrad.model.discrete.perturbed import PerturbedNetwork, clipped, margin_loss
from tritgrad.model.margin import state_sha256
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order, initial_counters
from tritgrad.rules import rule_named
from tritgrad.rules.losses import ProbePlan

WINES = str(Path(__file__).parent.parent / "examples" / "wine.csv")
#: Data set, hidden neurons and resident samples.
CASES = (("wine", WINES, 16, 127), ("digits", "digits", 32, 15), ("digits", "digits", 32, 127),
         ("digits", "digits", 64, 127))
CORE = {"lanes": 8, "banks": 4, "update_lanes": 4}
STEPS = 2, 6


@dataclass
class Case:
    """A rule on a mini-batch, from the initial counters."""

    recipe: Recipe
    plan: ProbePlan
    x: np.ndarray
    y: np.ndarray

    @classmethod
    def of(cls, data: Dataset, hidden: int, batch: int, rule: str) -> "Case":
        """The rule's own gain and sparsity, and the first samples of an epoch's order."""
        record = rule_named(rule)
        sparsity, gain = record.part(record.method).defaults.sparsity, record.gain
        recipe = Recipe.default((data.inputs, hidden, data.classes), data.planes, gain=gain,
                                output_gain=gain)
        order = epoch_order(recipe.seed, 0, len(data.x_train))[:batch]
        return cls(recipe, ProbePlan(batch, max(STEPS), sparsity), data.x_train[order],
                   data.y_train[order])

    def on_core(self, driver: Driver, steps: int) -> RunStats:
        """Take steps on the core."""
        recipe, plan = self.recipe, self.plan
        driver.load(layer_table(recipe, recipe.gains), initial_counters(
            recipe.layers, recipe.counter_bits, recipe.seed), plan.first_state(recipe.seed))
        return driver.learn(lambda samples: train_spsa(
            recipe.depth, samples, recipe.margin, steps, plan.sparsity), self.x, self.y, 2 * steps)

    def state(self, steps: int) -> str:
        """Of the golden model after as many."""
        recipe = self.recipe
        network = PerturbedNetwork(
            recipe.layers, recipe.counter_bits, recipe.seed,
            [clipped(shift, recipe.activation_bits) for shift in recipe.shifts],
            margin_loss(recipe.margin))
        if self.plan.sparsity:
            network.train_spsa(self.x, self.y, steps, recipe.gains[-1], self.plan.sparsity)
        else:
            network.train_fd(self.x, self.y, steps, recipe.gains[-1])
        return network.state_sha256()


def cycles(case: Case) -> dict[str, float]:
    """Of a step; raises SystemExit if the golden model ends differently."""
    config = CoreConfig.for_network(case.recipe.layers, case.recipe.planes, **CORE,
                                    resident=case.plan.resident)
    driver = Driver(Session(SimTransport(config)))
    few, many = (case.on_core(driver, steps) for steps in STEPS)
    if state_sha256(driver.counters()) != case.state(STEPS[1]):
        raise SystemExit("the core does not end as the golden model")
    plain = driver.infer(case.x)[2]
    driver.close()
    steps = STEPS[1] - STEPS[0]
    return {
        "cycles_a_step": (many.cycles - few.cycles) / steps,
        "forward_cycles_a_step": (many.forward_cycles - few.forward_cycles) / steps,
        "forward_cycles_a_sample": plain.forward_cycles / len(case.x),
    }


def main() -> None:
    """Print the figures and keep them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.parse_args()
    console = Console()
    table = Table("data", "network", "resident", "rule", "cycles a step", "of them in FWD",
                  "unperturbed FWD a sample", title="8 lanes, 4 banks, 4 update lanes")
    rows = []
    for name, source, hidden, batch in CASES:
        data = load(source, planes=4)
        sizes = "-".join(str(n) for n in (data.inputs, hidden, data.classes))
        for rule in ("spsa", "fd"):
            row = cycles(Case.of(data, hidden, batch, rule))
            rows.append({"data": name, "network": sizes, "resident": batch, "rule": rule, **row})
            table.add_row(name, sizes, str(batch), rule, *(f"{v:,.0f}" for v in row.values()))
    console.print(table)
    result = {**CORE, "steps": rows, "yosys": TOOLS["yosys"].version, "area": {}}
    config = CoreConfig.for_network((64, 32, 10), 4, **CORE)
    for family in SYNTH:
        cells = {"off": area(config, family), "on": area(replace(config, resident=127), family)}
        result["area"][family] = cells
        console.print(f"{family}: {cells}")
        write("spsa_cost", result)


if __name__ == "__main__":
    main()
