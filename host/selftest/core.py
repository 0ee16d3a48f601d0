"""Steps 13 to 16: a core against the golden model, and its clock."""

import time
from dataclasses import replace

from ...errors import BadInput
from ...model.convolution.shape import Convolution
from ...model.recipe import Recipe
from ..device.march import banks, march
from ..run.selfcheck import (
    COUNTS,
    Case,
    first_difference,
    front_of,
    random_cases,
    trained_alike,
)
from .bench import Bench, Failed, Skipped

__all__ = ["STEPS"]

#: Share by which a board's clock may differ from what it should be.
CLOCK_ERROR = 5e-3
LOWER_CLOCK = ("rebuild with a --frequency 10 % lower or another --seed; check the supply; "
               "tritgrad trace shows what the core decides")


def _small(bench: Bench, planes: int = 1) -> Recipe:
    config = bench.session.config
    if config.conv_kernels:
        return _behind(bench, front_of(config, 9, 10, 2, planes), min(8, config.max_neurons), 4)
    return Recipe.default((min(16, config.max_inputs), min(8, config.max_neurons), 4), planes,
                          counter_bits=config.counter_bits,
                          activation_bits=config.activation_bits)


def _behind(bench: Bench, conv: Convolution, *layers: int) -> Recipe:
    """A network behind a convolution."""
    config = bench.session.config
    return Recipe.default((conv.outputs, *layers), conv.bits, counter_bits=config.counter_bits,
                          activation_bits=config.activation_bits, gain=0, conv=conv, wrong=1)


def _counters(bench: Bench) -> str:
    Case(_small(bench), 1, 1).load(bench.open)
    status = bench.open.run_nothing()
    wrong = [f"{name} {status[name]}" for name in COUNTS if status[name]]
    if wrong:
        raise Failed("after a run of no samples: " + ", ".join(wrong),
                     "memory that is not zero at power-up: the bitstream is too old; build it anew")
    return "0 after a run of no samples"


def _memories(bench: Bench) -> str:
    words = 0
    for bank in banks(bench.session.config):
        fault = march(bench.session, bank)
        if fault is not None:
            raise Failed(str(fault), LOWER_CLOCK)
        words += bank.depth
    return f"{words:,} words, three patterns"


def _prng(bench: Bench) -> str:
    if not bench.session.config.trainable:
        raise Skipped("the core only infers")
    return _alike(bench, replace(_small(bench), gains=(-4, -4)), 16, dark=True)


def _forward(bench: Bench) -> str:
    return _alike(bench, _small(bench), 64, learn=False)


def _step(bench: Bench) -> str:
    return _alike(bench, _small(bench), 1)


def _training(bench: Bench) -> str:
    return _alike(bench, _small(bench), 64)


def _alike(bench: Bench, recipe: Recipe, samples: int, learn: bool = True,
           dark: bool = False) -> str:
    if learn and not bench.session.config.trainable:
        raise Skipped("the core only infers")
    case = Case(recipe, samples, 1)
    try:
        difference = (trained_alike(bench.open, case) if dark
                      else first_difference(bench.open, case, learn))
    except BadInput as error:
        raise Skipped(str(error)) from None
    if difference is not None:
        raise Failed(difference, LOWER_CLOCK)
    return f"{samples} samples of {'-'.join(map(str, recipe.layers))}"


def _convolution(bench: Bench) -> str:
    """CONV and KERNELS over the largest image: features alone, then what kernels learn."""
    c = bench.session.config
    if not c.conv_kernels:
        raise Skipped("the core has none")
    conv = front_of(c, c.conv_rows, c.conv_columns, c.conv_kernels, c.conv_planes)
    recipe = replace(_behind(bench, conv, min(8, c.max_neurons), 4), margin=2**20)
    for learn in (False, True)[:1 + c.trainable]:
        _alike(bench, recipe, 8, learn)
    return f"{conv.kernels} kernels over {conv.rows} x {conv.columns} pixels"


def _networks(bench: Bench) -> str:
    if not bench.session.config.trainable:
        raise Skipped("the core only infers")
    for case in random_cases(bench.session.config, 4 * bench.networks, 1, each=4):
        difference = first_difference(bench.open, case)
        if difference is not None:
            raise Failed(f"{difference} ({case})", LOWER_CLOCK)
    return f"{bench.networks} random networks"


def _own(bench: Bench) -> str:
    config = bench.session.config
    if config.conv_kernels:
        conv = front_of(config, config.conv_rows, config.conv_columns, config.conv_kernels,
                        config.conv_planes)
        return _alike(bench, _behind(bench, conv, *bench.board.networks[0][1:]), bench.samples)
    recipe = Recipe.default(bench.board.networks[0], 1, counter_bits=config.counter_bits,
                            activation_bits=config.activation_bits)
    return _alike(bench, recipe, bench.samples)


def _clock(bench: Bench) -> str:
    began, first = time.perf_counter(), bench.open.status()["total_cycles"]
    time.sleep(bench.seconds)
    status, seconds = bench.open.status(), time.perf_counter() - began
    cycles = status["total_cycles"] - first
    if bench.line.byte_time_s > 20 / bench.line.rate or not cycles:
        raise Skipped("a simulation has no clock to speak of")
    wanted, got = float(bench.board.pll.output_hz), cycles / seconds
    bench.facts["clock_mhz"] = got / 1e6
    if abs(got / wanted - 1) > CLOCK_ERROR:
        raise Failed(f"{got / 1e6:.3f} MHz, {100 * (got / wanted - 1):+.2f} % off",
                     "iCESugar: icesprog -c 2; else the PLL has not locked, or another --frequency")
    return f"{got / 1e6:.3f} MHz"


#: Number, name, and what finds out. Those of one number belong together.
STEPS = (
    (13, "counters", _counters), (14, "memories", _memories), (15, "PRNG", _prng),
    (15, "forward", _forward), (15, "training step", _step), (15, "training", _training),
    (15, "convolution", _convolution), (15, "random networks", _networks),
    (15, "own network", _own), (16, "clock", _clock))
