"""The kernels: a counter a word, and their trits once more, Q kernels side by side."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...hw.memory.block_ram import BlockRam
from . import Sizes

__all__ = ["KernelStore", "pass_members"]


def pass_members(sizes: Sizes) -> dict[str, wiring.Member]:
    """What goes to a `KernelStore` from whoever reads and writes counters one after the other."""
    return {
        "address": In(range(sizes.kernels * sizes.taps)),
        "write": In(1),
        "write_address": In(range(sizes.kernels * sizes.taps)),
        "write_data": In(signed(sizes.counter_bits)),
        "passes": In(1),
        "ends": In(1),
        "row": In(range(sizes.groups)),
        "kernel": In(range(sizes.at_once)),
    }


class KernelStore(wiring.Component):
    """Counters by kernel and tap, and the trits that follow from them.

    The trits of a kernel are stored together, a cycle after its last counter has passed: all of its
    counters pass, in their order, also those that stay as they are.

    Members
    -------
    address, counter : a counter to read, one cycle later.
    write, write_address, write_data : written at the clock edge.
    passes : strobe: `write_data` is the next counter of kernel number `kernel` of `row`, and
        `ends`, whether its last.
    group, trits : of Q kernels, the trits of their taps, one cycle later.
    """

    def __init__(self, sizes: Sizes):
        self.sizes = sizes
        self.depth = sizes.kernels * sizes.taps
        super().__init__({
            **pass_members(sizes),
            "counter": Out(signed(sizes.counter_bits)),
            "group": In(range(sizes.groups)),
            "trits": Out(data.ArrayLayout(2 * sizes.taps, sizes.at_once)),
        })
        self.memory = BlockRam(sizes.counter_bits, self.depth)
        self.trit_memories = [BlockRam(2 * sizes.taps, sizes.groups)
                              for _ in range(sizes.at_once)]

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self.memory
        m.d.comb += [
            memory.address.eq(self.address),
            self.counter.eq(memory.word),
            memory.write.eq(self.write),
            memory.write_address.eq(self.write_address),
            memory.write_data.eq(self.write_data),
        ]
        passed = Signal(2 * self.sizes.taps, reset_less=True)
        store, row, kernel = Signal(), Signal.like(self.row), Signal.like(self.kernel)
        with m.If(self.passes):
            m.d.sync += passed.eq(Cat(passed, self.write_data[-2:])[2:])
        m.d.sync += [store.eq(self.passes & self.ends), row.eq(self.row), kernel.eq(self.kernel)]
        for n, trits in enumerate(self.trit_memories):
            m.submodules[f"trits{n}"] = trits
            m.d.comb += [
                trits.address.eq(self.group),
                self.trits[n].eq(trits.word),
                trits.write.eq(store & (kernel == n)),
                trits.write_address.eq(row),
                trits.write_data.eq(passed),
            ]
        return m
