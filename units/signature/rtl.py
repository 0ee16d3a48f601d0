"""The signature's register in the update unit, and its byte in the answer to STATUS."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...firmware.frames import SIGNATURE_BYTES
from ...model.config import CoreConfig

__all__ = ["Signature"]

BITS = 8 * SIGNATURE_BYTES


class Signature(wiring.Component):
    """XOR of all changes of U codes and U residuals, each folded to 32 bits.

    Members
    -------
    step : strobe: these are written; the register has them two cycles later.
    new_trits, old_trits, new_residuals, old_residuals : of the step.
    clear : strobe: begin at 0.
    value : the signature.
    """

    def __init__(self, config: CoreConfig):
        trits, residuals = 2 * config.update_lanes, config.update_lanes * config.residual_bits
        super().__init__({
            "step": In(1),
            "new_trits": In(trits), "old_trits": In(trits),
            "new_residuals": In(residuals), "old_residuals": In(residuals),
            "clear": In(1),
            "value": Out(BITS),
        })

    def elaborate(self, platform):
        m = Module()
        changes, valid = Signal(BITS), Signal()
        parts = [word[first:first + BITS]
                 for word in (self.new_trits ^ self.old_trits,
                              self.new_residuals ^ self.old_residuals)
                 for first in range(0, len(word), BITS)]
        folded = parts[0]
        for part in parts[1:]:
            folded = folded ^ part
        m.d.sync += [changes.eq(folded), valid.eq(self.step)]
        with m.If(self.clear):
            m.d.sync += self.value.eq(0)
        with m.Elif(valid):
            m.d.sync += self.value.eq(self.value ^ changes)
        return m
