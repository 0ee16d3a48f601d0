"""The kernels: a counter a word, and their trits once more, Q kernels side by side."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...hw.memory.block_ram import BlockRam
from . import Sizes

__all__ = ["KernelStore", "pass_members"]


def pass_members(sizes: Sizes) -> dict[str, wiring.Member]:
    """What goes to a `KernelStore` from whoever reads and writes counters, group after group."""
    words = range(sizes.kernels * sizes.taps // sizes.together)
    return {
        "address": In(words),
        "write": In(sizes.together),
        "write_address": In(words),
        "write_data": In(data.ArrayLayout(signed(sizes.counter_bits), sizes.together)),
        "passes": In(1),
        "flips": In(sizes.together),
        "every": In(1),
        "ends": In(1),
        "row": In(range(sizes.groups)),
        "kernel": In(range(sizes.at_once)),
    }


class KernelStore(wiring.Component):
    """Counters by kernel and tap, and the trits that follow from them.

    Counters lie `Sizes.together` in a word, in a memory each. The trits of a kernel are stored
    together, a cycle after its last counters have passed, if any of them changes: all of its
    counters pass, in their order, also those that stay as they are.

    Members
    -------
    address, counters : a group of counters to read, one cycle later.
    write, write_address, write_data : those of a group that are to be are written at the clock
        edge.
    passes : strobe: `write_data` are the next counters of kernel number `kernel` of `row`, and
        `ends`, whether its last. flips : of them, which trits change; every : all count as changed.
    changes : strobe: trits are written.
    group, trits : of Q kernels, the trits of their taps, one cycle later.
    """

    def __init__(self, sizes: Sizes):
        self.sizes = sizes
        super().__init__({
            **pass_members(sizes),
            "counters": Out(data.ArrayLayout(signed(sizes.counter_bits), sizes.together)),
            "changes": Out(1),
            "group": In(range(sizes.groups)),
            "trits": Out(data.ArrayLayout(2 * sizes.taps, sizes.at_once)),
        })
        self.memories = [BlockRam(sizes.counter_bits, sizes.kernels * sizes.taps // sizes.together)
                         for _ in range(sizes.together)]
        self.trit_memories = [BlockRam(2 * sizes.taps, sizes.groups)
                              for _ in range(sizes.at_once)]

    @property
    def data(self) -> list[Value]:
        """The counters in their order, for a simulator."""
        together, depth = self.sizes.together, self.sizes.kernels * self.sizes.taps
        return [self.memories[n % together].data[n // together] for n in range(depth)]

    def elaborate(self, platform):
        m = Module()
        sizes = self.sizes
        for n, memory in enumerate(self.memories):
            m.submodules["memory" if sizes.together == 1 else f"memory{n}"] = memory
            m.d.comb += [
                memory.address.eq(self.address),
                self.counters[n].eq(memory.word),
                memory.write.eq(self.write[n]),
                memory.write_address.eq(self.write_address),
                memory.write_data.eq(self.write_data[n]),
            ]
        passed = Signal(2 * sizes.taps, reset_less=True)
        row, kernel, changed = Signal.like(self.row), Signal.like(self.kernel), Signal()
        with m.If(self.passes):
            tops = Cat(counter[-2:] for counter in self.write_data)
            m.d.sync += [passed.eq(Cat(passed, tops)[len(tops):]),
                         changed.eq(~self.ends & (changed | self.flips.any()))]
        m.d.sync += [
            self.changes.eq(self.passes & self.ends & (changed | self.flips.any() | self.every)),
            row.eq(self.row), kernel.eq(self.kernel),
        ]
        for n, trits in enumerate(self.trit_memories):
            m.submodules[f"trits{n}"] = trits
            m.d.comb += [
                trits.address.eq(self.group),
                self.trits[n].eq(trits.word),
                trits.write.eq(self.changes & (kernel == n)),
                trits.write_address.eq(row),
                trits.write_data.eq(passed),
            ]
        return m
