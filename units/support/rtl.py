"""The support: its memory, the reader that skips what is outside, births, and the purge."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ...hw.parts.arith import select
from ...hw.parts.sockets import Changes, CounterPort, Dispatch, Still, TritRead, WindowPort
from ...model.config import CoreConfig
from . import SUPPORT
from .granules import GranuleReader
from .purge import PurgeUnit
from .store import SupportStore

__all__ = ["Support"]


class Support(wiring.Component):
    """Joins them. While CUTOFF says that counters outside rest, those stay still.

    Sockets are dispatch (CUTOFF, PURGE), window, changes, moves, trits, counters, still and, as a
    part of the engine, reader; see `hw.parts.sockets`.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "dispatch": In(Dispatch(config, SUPPORT.ops)),
            "window": In(WindowPort(config.support_depth, config.max_words)),
            "changes": In(Changes(config)),
            "moves": Out(Changes(config)),
            "trits": In(TritRead(config)),
            "counters": In(CounterPort(config)),
            "still": In(Still(config)),
        })
        self.reader = GranuleReader(config)
        self.store = SupportStore(config)
        self.purge = PurgeUnit(config)

    def elaborate(self, platform):
        m = Module()
        reader = self.reader
        m.submodules.store = store = self.store
        m.submodules.purge = purge = self.purge
        dispatch, window, changes, still = self.dispatch, self.window, self.changes, self.still
        self._connect_purge(m)
        connect(m, purge.moves, flipped(self.moves))
        m.d.comb += [
            dispatch.busy.eq(store.busy | purge.busy),
            reader.masked.eq(dispatch.forward),
            reader.group.eq(dispatch.record.group_base),
            reader.support_word.eq(store.word),
            still.still.eq(purge.rest & ~select(store.word, still.word, 1)),
            store.clear.eq(dispatch.update),
            store.visit.eq(changes.whole & ~purge.rest),
            store.visit_group.eq(changes.row.group),
            store.visit_index.eq(changes.word),
            store.alive.eq((changes.trits[::2] ^ changes.trits[1::2]).any()),
            window.word.eq(store.word),
        ]
        with m.If(dispatch.linked):
            m.d.comb += [
                store.address.eq(window.address),
                store.enable.eq(1),
                store.write.eq(window.write),
                store.write_address.eq(window.address),
                store.write_data.eq(window.write_data),
            ]
        with m.Else():
            m.d.comb += [
                store.address.eq(Mux(still.busy, still.row.group, reader.support_address)),
                store.enable.eq(still.busy | reader.support_enable),
                store.write.eq(purge.support_write),
                store.write_address.eq(purge.group),
                store.write_data.eq(purge.support),
            ]
        return m

    def _connect_purge(self, m):
        dispatch, purge, trits, counters = self.dispatch, self.purge, self.trits, self.counters
        m.d.comb += [
            purge.limits.eq(dispatch.cutoff),
            purge.operand.eq(dispatch.operand),
            purge.clear.eq(dispatch.clear),
            purge.start.eq(dispatch.purge),
            purge.record.eq(dispatch.record),
            purge.trit_word.eq(trits.word),
            purge.residual_word.eq(counters.residual_word),
            trits.active.eq(purge.busy),
            trits.address.eq(purge.trit_address),
            trits.bank.eq(purge.trit_bank),
            counters.trit_write.eq(purge.trit_write),
            counters.trit_write_data.eq(purge.trit_write_data),
            counters.residual_address.eq(purge.residual_address),
            counters.residual_write.eq(purge.residual_write),
            counters.residual_write_data.eq(purge.residual_write_data),
        ]
