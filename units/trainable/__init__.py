"""Memory R and the update unit: a core that can train (`hw.datapath.update`)."""

from ...firmware.isa import Op
from ..record import Memory, Option, Unit, bits_of

__all__ = ["TRAINABLE"]

TRAINABLE = Unit(
    name="trainable",
    title="that can train",
    options=(Option(
        "trainable", default=True, off="infer-only",
        help="Build in memory R and the update unit. Without them R has no words."),),
    ops=(Op.BWD, Op.UPD),
    golden="Training",
    sockets=("training",),
    memories=lambda c: (
        Memory("R (residuals)", "residual_depth", -(-c.residual_depth // c.update_rows),
               c.update_lanes * c.residual_bits, "engine.residuals", c.update_rows),
        Memory("errors", "hidden_depth", c.output_words * c.steps, 2 * c.update_lanes,
               "engine.errors.memory"),
        # The fields of other units in it are added by `model.memories`.
        Memory("rows to update", "max_neurons", -(-c.max_neurons // c.update_rows),
               1 + bits_of(range(c.banks // c.update_rows)) + bits_of(range(c.trit_depth))
               + (bits_of(range(-(-c.residual_depth // c.update_rows))) if c.banks > 1 else 0)
               + (16 if c.update_rows > 1 else 0),  # a draw
               "engine.lister.memory", c.update_rows),
    ),
)
