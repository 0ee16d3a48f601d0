"""Scales of rows, learned by the correlation of votes and trits (`model.scales`)."""

from ...firmware.frames import Space
from ...firmware.isa import Op
from ..record import Memory, Option, Unit, Window

__all__ = ["SCALES"]


SCALES = Unit(
    name="scales",
    title="whose rows have scales",
    options=(Option("scales", "Give rows scales, learned in memory S by train --scales."),),
    training=(
        Option("scales", "Learn a scale for each row of weights, by the correlation of votes and "
                         "trits.", network=True),
        Option("scale_refresh", "With --scales, divide them anew every 2^R samples learned, R from "
                                "{range}.", 6, (0, 31), metavar="R", network=True),
    ),
    wanted=lambda run: {"scales": run.scales},
    needs={"trainable": "votes come from the update unit"},
    excludes={"update_rows": "votes are counted of one row at a time"},
    ops=(Op.REFRESH, Op.SCALE),
    circuit="ScaleUnit",
    golden="Scales",
    device="Scales",
    run="Scales",
    sockets=("dispatch", "window", "changes", "stage", "decision"),
    windows=(Window(Space.S, lambda c: c.scale_depth, lambda c: 8 * c.scale_word_bytes,
                    lambda c: c.scale_word_bytes, "memory"),),
    memories=lambda c: tuple(
        Memory("S (scales)", "hidden_depth", c.scale_depth, 8 * c.scale_word_bytes,
               f"engine.scales.{name}") for name in ("memory", "pair")[:c.drain]),
    state="model.scales.rows:RowScales",
    trial_sizes={"lanes": 5, "update_lanes": 5},
    trial_training=lambda rng: {"scale_refresh": rng.randrange(3)},
    record={"size": lambda c: range(17)},
    rows={"number": lambda c: range(c.sum_depth)},
)
