"""The signature of T and R: an XOR over what the update unit changes, told by STATUS."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from ...firmware.frames import SIGNATURE_BYTES
from ...hw.parts.sockets import Changes, StatusTail
from ...model.config import CoreConfig

__all__ = ["Signature"]

BITS = 8 * SIGNATURE_BYTES


class Signature(wiring.Component):
    """XOR of all changes of U codes and U residuals, each folded to 32 bits.

    It has a step's changes two cycles later, and begins at 0 when the link writes T or R. Sockets
    are changes and status; see `hw.parts.sockets`.
    """

    def __init__(self, config: CoreConfig):
        super().__init__({"changes": In(Changes(config)),
                          "status": In(StatusTail(SIGNATURE_BYTES))})

    def elaborate(self, platform):
        m = Module()
        moved, valid, value = Signal(BITS), Signal(), self.status.value
        changes = self.changes
        parts = [word[first:first + BITS]
                 for word in (changes.new ^ changes.old,
                              changes.new_residuals ^ changes.old_residuals)
                 for first in range(0, len(word), BITS)]
        folded = parts[0]
        for part in parts[1:]:
            folded = folded ^ part
        m.d.sync += [moved.eq(folded), valid.eq(changes.step)]
        with m.If(self.status.loaded):
            m.d.sync += value.eq(0)
        with m.Elif(valid):
            m.d.sync += value.eq(value ^ moved)
        return m
