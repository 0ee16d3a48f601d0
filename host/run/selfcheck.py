"""Random networks on a device and on the golden machine behind the same link, compared."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...model.config import CoreConfig
from ...model.convolution.shape import Convolution
from ...model.layout import TableError, check_table
from ...model.recipe import Recipe
from ...model.state import initial_state
from ..device.driver import Driver, layer_table
from ..device.session import Session
from ..device.transport import GoldenTransport

__all__ = ["Case", "first_difference", "front_of", "random_cases", "trained_alike"]

#: Counters of the stats that both machines count; the golden one counts no cycles.
COUNTS = ("samples", "correct", "updates", "flips")


@dataclass(frozen=True)
class Case:
    """A network, and how many random samples of which seed it learns."""

    recipe: Recipe
    samples: int
    seed: int

    def load(self, driver: Driver) -> None:
        """Put the network on a device."""
        recipe = self.recipe
        driver.load_state(layer_table(recipe, recipe.gains, driver.config), initial_state(recipe))

    def __str__(self) -> str:
        sizes, c = "-".join(str(n) for n in self.recipe.layers), self.recipe.conv
        front = "" if c is None else (
            f"{c.kernels} kernels over {c.rows} x {c.columns} pixels of {c.planes} planes, shift "
            f"{c.shift}, gain {c.gain}; ")
        return (f"{front}{sizes}, {self.recipe.planes} planes, gains {self.recipe.gains}, shifts "
                f"{self.recipe.shifts}, margin {self.recipe.margin}, seed {self.seed}")


def front_of(config: CoreConfig, rows: int, columns: int, groups: int, planes: int,
             **numbers: int) -> Convolution:
    """A convolution that a core with one has, each size at most the core's and at least the least.

    `groups` are of as many kernels as the core has at once.
    """
    side = config.conv_kernel + config.conv_pool - 1
    return Convolution(
        rows=min(max(rows, side), config.conv_rows),
        columns=min(max(columns, side), config.conv_columns),
        kernels=min(groups * config.conv_at_once, config.conv_kernels),
        kernel=config.conv_kernel, pool=config.conv_pool, planes=min(planes, config.conv_planes),
        channels=config.conv_channels,
        bits=config.conv_bits, counter_bits=config.conv_counter_bits, **numbers)


def random_cases(config: CoreConfig, samples: int, seed: int, each: int = 50) -> Iterator[Case]:
    """Random networks that fit a core, `each` samples or fewer each, `samples` in all."""
    rng = random.Random(seed)
    while samples > 0:
        case = _random_case(rng, config, min(samples, each))
        if _fits(config, case.recipe):
            samples -= case.samples
            yield case


def _random_case(rng: random.Random, config: CoreConfig, samples: int) -> Case:
    depth = rng.randint(1, min(4, config.max_layers))
    conv = None
    if config.conv_kernels:
        side = config.conv_kernel + config.conv_pool
        conv = front_of(config, rng.randint(1, side + 4), rng.randint(1, side + 4),
                        rng.randint(1, 3), rng.randint(1, 4), shift=rng.randint(0, 4),
                        gain=rng.randint(-6, 0))
    layers = [conv.outputs if conv else rng.randint(1, min(100, config.max_inputs))]
    most = config.counter_bits - 2 - (conv is not None)  # wrong samples may add 1
    layers += [rng.randint(1, min(70, config.max_neurons)) for _ in range(depth - 1)]
    layers.append(rng.randint(2, min(20, config.max_classes)))
    recipe = Recipe(
        tuple(layers), config.counter_bits, config.activation_bits,
        planes=conv.bits if conv else rng.randint(1, config.input_planes),
        gains=tuple(rng.randint(-8, most) for _ in range(depth)),
        shifts=tuple(rng.randint(0, 6) for _ in range(depth - 1)),
        margin=rng.choice([1, 16, 64, 1000]), epochs=1, seed=rng.randrange(2**64), conv=conv,
        wrong=rng.randint(0, 1) if conv else 0)
    return Case(recipe, samples, rng.randrange(2**32))


def _fits(config: CoreConfig, recipe: Recipe) -> bool:
    try:
        check_table(config, layer_table(recipe, recipe.gains, config))
    except TableError:
        return False
    return True


def trained_alike(device: Driver, case: Case) -> str | None:
    """Learn from inputs of nothing but 0, which draws and changes no counter: the PRNG, or None."""
    golden = Driver(Session(GoldenTransport(device.config)))
    recipe = case.recipe
    x = np.zeros((case.samples, recipe.sample[0]), np.uint8)
    y = np.arange(case.samples) % recipe.layers[-1]
    for driver in (device, golden):
        case.load(driver)
        driver.train_chunk(x, y, recipe.margin, wrong=recipe.wrong)
    got, want = device.prng(), golden.prng()
    return None if got == want else f"PRNG: {got:#018x}, golden model {want:#018x}"


def first_difference(device: Driver, case: Case, learn: bool = True) -> str | None:
    """Learn and infer on a device and on the golden machine; where they part first, or None."""
    golden = Driver(Session(GoldenTransport(device.config)))
    recipe = case.recipe
    rng = np.random.default_rng(case.seed)
    inputs, planes = recipe.sample
    x = rng.integers(0, 1 << planes, (case.samples, inputs)).astype(np.uint8)
    x[rng.random(x.shape) < rng.choice([0.0, 0.5, 0.9])] = 0
    y = rng.integers(0, recipe.layers[-1], case.samples)
    for driver in (device, golden):
        case.load(driver)
    difference = _learn(device, golden, x, y, recipe) if learn else None
    if difference is not None:
        return difference
    predicted, scores, _ = device.infer(x)
    expected, right, _ = golden.infer(x)
    if not np.array_equal(scores, right):
        sample, k = np.argwhere(scores != right)[0]
        return (f"sample {sample}, class {k}: score {scores[sample, k]}, "
                f"golden model {right[sample, k]}")
    if not np.array_equal(predicted, expected):
        sample = int(np.argmax(predicted != expected))
        return (f"sample {sample}: prediction {predicted[sample]}, "
                f"golden model {expected[sample]}")
    return None


def _learn(device: Driver, golden: Driver, x: npt.NDArray[np.uint8], y: npt.NDArray[np.int64],
           recipe: Recipe) -> str | None:
    """Learn on both; where they part first, or None."""
    got, want = (driver.train_chunk(x, y, recipe.margin, wrong=recipe.wrong)
                 for driver in (device, golden))
    for name in COUNTS:
        if getattr(got, name) != getattr(want, name):
            return f"{name}: {getattr(got, name)}, golden model {getattr(want, name)}"
    if device.prng() != golden.prng():
        return f"PRNG: {device.prng():#018x}, golden model {golden.prng():#018x}"
    first = 0 if recipe.conv is not None else 1
    for layer, (a, b) in enumerate(zip(device.counters(), golden.counters(), strict=True), first):
        if not np.array_equal(a, b):
            row, column = np.argwhere(a != b)[0]
            place = f"layer {layer}, row {row}, input" if layer else f"kernel {row}, tap"
            return (f"{place} {column}: counter {a[row, column]}, "
                    f"golden model {b[row, column]}")
    return None
