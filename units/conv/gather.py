"""What the errors of an image's outputs ask of each kernel's taps: pairs of window and kernel."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...hw.memory.block_ram import BlockRam
from . import Sizes
from .sums import PatchSums

__all__ = ["ErrorWords", "Items", "KernelSums"]


class Items(wiring.Component):
    """Items of a memory's words, one after the other; a word is asked for as soon as it is there.

    Members
    -------
    start : strobe: begin with the first item of word 0, which is there three cycles later.
    address, word : read all the time, a cycle later. there : the addressed word may be read.
    valid, item, take : an item; `take` goes on to the next one.
    """

    def __init__(self, bits: int, items: int, words: int):
        self.items = items
        super().__init__({
            "start": In(1),
            "address": Out(range(words + 2)),
            "there": In(1),
            "word": In(bits * items),
            "valid": Out(1),
            "item": Out(bits),
            "take": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        following = Signal.like(self.address)
        left = Signal.like(self.word, reset_less=True)
        at = Signal(range(self.items))
        come, reload, ends = Signal(), Signal(), Signal()
        m.d.comb += [
            # The word behind the one in hand is read all the time.
            self.address.eq(following + reload),
            ends.eq(self.take & (at == self.items - 1)),
            reload.eq(come & (~self.valid | ends)),
            self.item.eq(left[:len(self.item)]),
        ]
        m.d.sync += come.eq(self.there & ~self.start)
        with m.If(self.take):
            m.d.sync += [left.eq(left >> len(self.item)), at.eq(at + 1)]
        with m.If(ends):
            m.d.sync += self.valid.eq(0)
        with m.If(reload):
            m.d.sync += [left.eq(self.word), at.eq(0), following.eq(following + 1),
                         self.valid.eq(1)]
        with m.If(self.start):
            m.d.sync += [following.eq(0), self.valid.eq(0)]
        return m


class ErrorWords(wiring.Component):
    """The words of errors of the first layer's inputs once more, to be read beside an update.

    Members
    -------
    write, write_address, write_data : see `hw.memory.stores.ErrorStore`; other words are let pass.
    begin : strobe: words are written anew from the first one on. ended : strobe: all have been.
    address, word : word to read; one cycle later.
    there : the addressed word has been written since `begin`, or all have been.
    """

    def __init__(self, words: int, bits: int, depth: int):
        self.words = words
        super().__init__({
            "write": In(1),
            "write_address": In(range(depth)),
            "write_data": In(bits),
            "begin": In(1),
            "ended": In(1),
            "address": In(range(words + 2)),
            "there": Out(1),
            "word": Out(bits),
        })
        self.memory = BlockRam(bits, words)

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self.memory
        whole, written = Signal(init=1), Signal(range(self.words + 1))
        m.d.comb += [
            memory.write.eq(self.write & (self.write_address < self.words)),
            memory.write_address.eq(self.write_address[:len(memory.write_address)]),
            memory.write_data.eq(self.write_data),
            memory.address.eq(self.address[:len(memory.address)]),
            self.word.eq(memory.word),
            self.there.eq(whole | (self.address < written)),
        ]
        with m.If(memory.write):
            m.d.sync += written.eq(self.write_address + 1)
        with m.If(self.ended):
            m.d.sync += whole.eq(1)
        with m.If(self.begin):
            m.d.sync += [whole.eq(0), written.eq(0)]
        return m


class KernelSums(wiring.Component):
    """Adds up over all windows what their errors ask of the taps of each kernel.

    A cycle for each output, and k + P + 4 at the start; more where a window takes `WindowWalk`
    longer, or where errors are not there yet.

    Members
    -------
    start : strobe, with the walk's: begin. stop : strobe: it is given up.
    busy : pairs are left. done : strobe: it is not given up, and all are in memory.
    groups : kernels in use by Q; static while `busy`.
    window, valid, last, take : see `WindowWalk`.
    error_address, error_there, error_word : see `ErrorWords`.
    place_address, place_word : words of Q places; one cycle later.
    read_kernel, sums, found : see `PatchSums`.
    """

    def __init__(self, sizes: Sizes, update_lanes: int):
        self.sizes = sizes
        self.adder = PatchSums(sizes)
        self.words = -(-sizes.outputs // update_lanes)  #: of errors
        self.errors = Items(2, update_lanes, self.words)
        self.places = Items(sizes.place_bits, sizes.at_once,
                            -(-sizes.outputs // sizes.at_once))
        read = {name: self.adder.signature.members[name] for name in (
            "read_kernel", "sums", "found")}
        super().__init__({
            "start": In(1),
            "stop": In(1),
            "busy": Out(1),
            "done": Out(1),
            "groups": In(range(sizes.groups + 1)),
            "window": In(sizes.side * sizes.line_bits),
            "valid": In(1),
            "last": In(1),
            "take": Out(1),
            "error_address": self.errors.signature.members["address"],
            "error_there": In(1),
            "error_word": In(2 * update_lanes),
            "place_address": self.places.signature.members["address"],
            "place_word": In(sizes.place_bits * sizes.at_once),
            **read,
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.errors, m.submodules.places = errors, places = self.errors, self.places
        m.submodules.sums = sums = self.adder
        kernel, member = Signal.like(sums.kernel), Signal(range(self.sizes.at_once))
        group = Signal(range(self.sizes.groups))
        active, first, last = Signal(), Signal(), Signal()
        pair, ends = Signal(), Signal()
        m.d.comb += [
            errors.start.eq(self.start),
            self.error_address.eq(errors.address),
            errors.there.eq(self.error_there),
            errors.word.eq(self.error_word),
            places.start.eq(self.start),
            self.place_address.eq(places.address),
            places.there.eq(1),
            places.word.eq(self.place_word),
            errors.take.eq(pair),
            places.take.eq(pair),
            sums.window.eq(self.window),
            sums.place.eq(places.item),
            sums.error.eq(errors.item),
            sums.pair.eq(pair),
            sums.kernel.eq(kernel),
            sums.first.eq(first),
            sums.read_kernel.eq(self.read_kernel),
            self.sums.eq(sums.sums),
            self.sums.eq(sums.sums),
            self.found.eq(sums.found),
            ends.eq((member == self.sizes.at_once - 1) & (group + 1 == self.groups)),
            self.take.eq(self.busy & self.valid & (~active | (pair & ends))),
            pair.eq(active & errors.valid & places.valid),
        ]
        if self.sizes.at_once == 1:
            # The sums of a lone kernel are written before they are read again.
            turn = Signal()
            m.d.sync += turn.eq(pair)
            m.d.comb += pair.eq(active & errors.valid & places.valid
                                & ~(turn & (self.groups == 1)))
        with m.If(pair):
            m.d.sync += [kernel.eq(kernel + 1), member.eq(member + 1)]
            with m.If(member == self.sizes.at_once - 1):
                m.d.sync += [member.eq(0), group.eq(group + 1)]
            with m.If(ends):
                m.d.sync += [kernel.eq(0), group.eq(0), active.eq(0), first.eq(0),
                             self.busy.eq(~last)]
        with m.If(self.take):
            m.d.sync += [active.eq(1), last.eq(self.last)]
        m.d.sync += self.done.eq(pair & ends & last & ~self.stop & ~self.start)
        with m.If(self.start | self.stop):
            m.d.sync += [self.busy.eq(self.start), active.eq(0), first.eq(1), kernel.eq(0),
                         member.eq(0), group.eq(0)]
        return m
