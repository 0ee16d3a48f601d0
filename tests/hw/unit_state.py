"""Of units in lockstep: what their memories begin with, and registers beside their windows.

What is compared of any unit, its windows, `lockstep` finds in its record; a unit without more has
no line here.
"""

import random

import numpy as np

from tritgrad.model.layout import row_sums


def fill(machine, seed):
    """Begin with sums that are right, and with a random support."""
    parts = machine.parts
    if "row_sums" in parts:
        for number, layer in enumerate(machine.layers, 1):
            parts["row_sums"].sums[machine.rows(number)] = row_sums(
                machine.config, layer, machine.places[number - 1], machine.codes)
    if "support" in parts:
        inside, dense = parts["support"].inside, random.Random(seed).choice([0.5, 0.9, 1.0])
        inside[:] = np.random.default_rng(seed).random(inside.shape) < dense


def compare(ctx, engine, machine, name):
    """Registers of the units, after what `name` says."""
    for unit, check in CHECKS.items():
        if unit in machine.parts:
            check(ctx, engine, engine.sockets.units[unit], machine.parts[unit], name)


def _signature(ctx, engine, unit, part, name):
    found = ctx.get(unit.status.value)
    assert found == part.value, f"signature after {name}: RTL {found:x}, model {part.value:x}"


def _support(ctx, engine, unit, part, name):
    for field in "cutoff", "k", "rest":
        assert ctx.get(getattr(unit.purge, field)) == getattr(part, field), f"{field} after {name}"


def _perturb(ctx, engine, unit, part, name):
    side = ctx.get(unit.loss.perturbed) * (-1 if ctx.get(unit.loss.negative) else 1)
    found = (side, ctx.get(unit.loss.total), ctx.get(unit.loss.position),
             ctx.get(engine.inputs.kept))
    expected = part.side, part.loss, part.position, len(part.resident)
    assert found == expected, f"side, loss, position, kept after {name}: {found}, {expected}"
    if part.side:
        assert ctx.get(unit.places.key) == part.key, f"key after {name}"


def _conv(ctx, engine, unit, part, name):
    """Trits, unless they are being made; whether CONV has been, and the gate bits it left."""
    sizes, config = unit.sizes, part.machine.config
    taps = sizes.taps
    for f in range(0 if ctx.get(unit.steps.busy) else sizes.kernels):
        word = ctx.get(unit.kernels.trit_memories[f % sizes.at_once].data[f // sizes.at_once])
        # Of a counter that crosses 0 no trit changes: 00 and 11 are one.
        want = [(0, 1, 2, 0)[int(c) >> (sizes.counter_bits - 2) & 3]
                for c in part.counters[f * taps:(f + 1) * taps]]
        found = [(0, 1, 2, 0)[word >> 2 * t & 3] for t in range(taps)]
        assert found == want, f"trits of {f} after {name}"
    shown = part.features is not None
    assert ctx.get(unit.shown) == shown, f"CONV has been, after {name}"
    if shown:
        features, hand = engine.inputs.features, ctx.get(engine.inputs.hand)
        gates, _ = part.machine.below(1)
        for n, word in enumerate(gates.reshape(-1, config.lanes)):
            found = ctx.get(features.gate_memory.data[hand * features.depth + n])
            assert found == sum(int(b) << i for i, b in enumerate(word)), f"gates after {name}"


CHECKS = {"signature": _signature, "support": _support, "perturb": _perturb, "conv": _conv}
