"""Random cores, networks and programs for lockstep."""

import random
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

import numpy as np

from tritgrad.errors import ConfigError
from tritgrad.firmware.isa import INSTRUCTIONS, Op, Operand, encode
from tritgrad.model.config import MAX_SKIP, CoreConfig
from tritgrad.model.convolution.shape import Convolution
from tritgrad.model.front import front_fields
from tritgrad.model.layout import Layer, TableError, check_table, place
from tritgrad.model.machine import Sample
from tritgrad.model.scales.chip import CORR_BITS, encode_factor, nearest_two_powers
from tritgrad.sim.trials import random_units
from tritgrad.units.registry import CHOICES, available

from .lockstep import Lockstep


def random_case(rng: random.Random, max_layers=3, max_size=20):
    """A random configuration and a network that fits it."""
    lanes = rng.randint(1, 9)
    depth = rng.randint(1, max_layers)
    sizes = [rng.randint(1, max_size) for _ in range(depth)] + [rng.randint(2, 9)]
    if depth > 2 and rng.random() < 0.5:
        sizes[2] = sizes[1]  # a layer that may have a skip
    planes, a = rng.randint(1, 7), rng.randint(1, 5)
    config = CoreConfig(
        lanes=lanes, banks=rng.randint(1, 5),
        update_lanes=rng.choice([u for u in range(1, lanes + 1) if lanes % u == 0]),
        counter_bits=rng.randint(6, 10), activation_bits=a,
        input_planes=planes + rng.randint(0, 1), max_layers=depth + rng.randint(0, 2),
        max_inputs=max_size + rng.randint(0, 3), max_neurons=max_size + 2,
        max_classes=9 + rng.randint(0, 3), trit_depth=256, residual_depth=1024,
        hidden_depth=64, program_depth=64, slot_bytes=128)
    layers = [Layer(f, n, planes if number == 0 else a, rng.randint(0, 3),
                    rng.choice([rng.randint(-15, config.counter_bits - 2),
                                config.counter_bits - 4, config.counter_bits - 2]))
              for number, (f, n) in enumerate(zip(sizes, sizes[1:], strict=False))]
    used = place(config, [*layers, Layer(0, 0, 0, 0, 0)])[-1]  # with one lane more than most need
    config = config.changed(trit_depth=max(config.trit_depth, used.trit_base),
                            residual_depth=max(config.residual_depth, used.residual_base))
    check_table(config, layers)
    return config, layers


def random_skips(rng, config, layers):
    """The layers with random skips where the core and the sizes allow one."""
    tried = []
    for n, layer in enumerate(layers):
        skip = replace(layer, skip=rng.choice([1, 2, MAX_SKIP + 1]))
        try:
            check_table(config, [*tried, skip, *layers[n + 1:]])
        except TableError:
            skip = layer
        tried.append(skip)
    return tried


def with_front(rng, config, layers):
    """The core, the row of a convolution, and the layers behind it."""
    conv = Convolution(
        rows=config.conv_rows, columns=config.conv_columns, kernels=config.conv_kernels,
        kernel=config.conv_kernel, pool=config.conv_pool, planes=config.conv_planes,
        bits=config.conv_bits, counter_bits=config.conv_counter_bits,
        shift=rng.randrange(3), gain=-rng.randrange(3), channels=config.conv_channels)
    layers = [replace(layers[0], inputs=conv.outputs, planes=conv.bits), *layers[1:]]
    used = place(config, [*layers, Layer(0, 0, 0, 0, 0)])[-1]
    config = config.changed(trit_depth=max(config.trit_depth, used.trit_base),
                            residual_depth=max(config.residual_depth, used.residual_base))
    return config, Layer(**front_fields(config, conv)), layers


def random_program(rng: random.Random, depth: int, length: int, config: CoreConfig) -> list[int]:
    """Mostly sensible, sometimes nonsense, always ends or faults."""
    opened, told = [], []
    if config.trace:
        opened = [encode(Op.TRACE, rng.randint(1, 3))]
        told = [*(encode(Op.TELL, n) for n in range(1, depth + 1)), encode(Op.TRACE, 0)]
    least = 2
    if config.conv_kernels:
        opened, told, least = [encode(Op.CONV)], [encode(Op.KERNELS)], 1
    train = [encode(Op.RECV), *opened, *(encode(Op.FWD, n) for n in range(1, depth + 1)),
             encode(Op.ERR, rng.choice([1, 8, 1 << 22])),
             *(encode(Op.BWD, n) for n in range(depth, least - 1, -1)),
             *(encode(Op.UPD, n) for n in range(1, depth + 1)), *told]
    if config.resident:
        forward = [encode(Op.FWD, n) for n in range(1, depth + 1)]
        begin = 1 + rng.randint(1, 2) + len(train)
        train = [*[encode(Op.RECV)] * (begin - 1 - len(train)), *train,
                 encode(Op.PROBE, rng.randint(1, 2)), *forward,
                 encode(Op.LOSS, rng.choice([1, 40])), encode(Op.SKIP, begin + 1),
                 *(encode(Op.STEP, n) for n in range(1, depth + 1))]
    if config.scales:
        behind = len(train) + 3 + depth  # after COUNT, REFRESH, SKIP and the layers' SCALE
        train += [encode(Op.REFRESH, rng.randrange(2)), encode(Op.SKIP, behind),
                  *(encode(Op.SCALE, n) for n in range(1, depth + 1))]
    words = [encode(Op.COUNT, rng.randint(1, 3)), *train]
    while len(words) < length - 2:
        op = rng.choice(available(config)[3:])
        kind = INSTRUCTIONS[op].operand
        value = {Operand.NONE: 0, Operand.LAYER: rng.randint(1, depth),
                 Operand.TARGET: min(len(words) + rng.randint(1, 2), length - 1),
                 Operand.MARGIN: rng.choice([1, 4, 1 << 22]),
                 Operand.MODE: rng.randrange(4) if config.trace else 0,
                 Operand.SPARSITY: rng.randint(0, 6),
                 Operand.LIMITS: limits(rng, config),
                 Operand.EXPONENT: rng.choice([0, 1, 31]) if config.scales else 0,
                 Operand.EXTRA: rng.randrange(2) if config.conv_kernels else 0}[kind]
        if op == Op.BWD and depth > 1:
            value = rng.randint(2, depth)
        if op == Op.SEND or (op == Op.BWD and depth == 1 and rng.random() < 0.9):
            continue
        words.append(encode(op, value))
    return [*words, encode(Op.LOOP, rng.randint(1, 2)), encode(Op.HALT)]


def limits(rng: random.Random, config: CoreConfig) -> int:
    """An operand of CUTOFF: none, few or all of the counters, and births or none."""
    if not config.support:
        return 0
    cutoff = rng.choice([0, rng.randint(0, config.banks * config.lanes), 0xFFFF])
    k = rng.choice([0, rng.randrange(config.counter_bits), 15])
    return cutoff | k << 16 | rng.randrange(2) << 20


def random_counters(rng, config, layers):
    half = 1 << (config.counter_bits - 1)
    return [np.array([[rng.choice([-half, half - 1, rng.randrange(-half, half)])
                       for _ in range(layer.inputs)] for _ in range(layer.outputs)])
            for layer in layers]


def random_lockstep(seed: int, length: int = 18, units: Iterable[str] = (),
                    chance: float = 0.4, form: str = "", **options) -> Lockstep:
    """A random engine with random state, program and samples.

    Odd seeds give single-port stores, half of the even ones a pipelined core with three times the
    banks. With even lanes and banks, and no unit that objects, the array drains two sums a cycle.
    `units` are options that are certainly there, without any one by the seed; `chance` is that of
    each other one. A `form` of `model.config.FORMS` takes the place of that of the seed; with
    `update_rows` two rows are updated at once.
    """
    rng = random.Random(seed)
    config, layers = random_case(rng, **options)
    single_port, pipelined = (form == name if form else found for name, found in (
        ("single_port", bool(seed % 2)), ("pipelined", seed % 4 == 2)))
    pipelined |= form == "update_rows" and bool(seed % 2)
    config = config.changed(single_port=single_port, pipelined=pipelined,
                            banks=config.banks * (3 if pipelined else 1))
    added = [name for name, option in CHOICES.items() if not option.default]
    first = [*units] or [added[seed % len(added)]]
    if "conv_kernels" in first:
        config = config.changed(max_inputs=80, input_planes=max(2, config.input_planes))
    config = random_units(random.Random(seed), config, first, chance)
    if form == "drain":
        config = config.changed(lanes=config.lanes * (1 + config.lanes % 2),
                                banks=config.banks * (1 + config.banks % 2))
    if form == "update_rows":
        config = config.changed(banks=2 * config.banks, update_rows=2)
    front = None
    if config.conv_kernels:
        config, front, layers = with_front(rng, config, layers)
    layers = random_skips(rng, config, layers)
    length += 12 if config.resident else 0
    if config.lanes % 2 == config.banks % 2 == 0:
        with suppress(ConfigError):
            config = config.changed(drain=2)
    program = random_program(rng, len(layers), length + 5 * config.scales, config)
    density = rng.choice([0.1, 0.5, 1.0])
    first_row = front or layers[0]
    top = 1 << first_row.planes
    samples = [Sample(np.array([rng.randrange(top) if rng.random() < density else 0
                                for _ in range(first_row.inputs)]),
                      rng.randrange(layers[-1].outputs)) for _ in range(12)]
    run = Lockstep(config, layers, program, random_counters(rng, config, layers), samples,
                   prng=rng.randrange(1, 1 << 64), front=front)
    if config.scales:  # as if votes had agreed so far
        scales = run.machine.parts["scales"]
        scales.corr[:] = [rng.randint(-2000, 2000) for _ in scales.corr]
        scales.factors[:] = [encode_factor(nearest_two_powers(rng.randint(0, 512)))
                             for _ in scales.corr]
        scales.corr[-1] = rng.choice([0, 1, 62, (1 << CORR_BITS - 1) - 1])
    return run
