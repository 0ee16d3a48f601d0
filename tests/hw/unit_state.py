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


CHECKS = {"signature": _signature, "support": _support, "perturb": _perturb}
