"""Properties of lists of words and rows, and of what reads them."""

from amaranth import *

from tritgrad.hw.parts.arith import times

from .prover import Property, small


def list_reader(p: Property, module):
    """items 0, 1, 2, ... of each pass, none lost or doubled, `last` and `ended` right, while the
    list grows
    """
    depth, m = 4, p.m
    dut = p.unit(module.ListReader(depth))
    count, final, take = p.free(range(depth + 1), "count"), p.free(1, "final"), p.free(1, "take")
    before, started = p.past(count), ~p.first()
    p.assume(count <= depth, p.first() | (count == before)
             | ((count == before + 1) & ~p.past(final)), p.first() | ~p.past(final) | final)
    m.d.comb += [dut.start.eq(p.first()), dut.count.eq(count), dut.final.eq(final),
                 dut.take.eq(take & (dut.valid | dut.ended) & started)]
    item, following = Signal(range(depth + 1)), Signal(range(depth + 1))
    with m.If(dut.enable):
        m.d.sync += item.eq(dut.address)
    with m.If(dut.take):
        m.d.sync += following.eq(Mux(dut.last | dut.ended, 0, following + 1))
    p.check(~started | ~dut.valid | ((item == following) & (following < count)),
            ~started | ~dut.last | (final & (following + 1 == count)),
            ~started | ~dut.ended | (final & (following == count)))


def granule_reader(p: Property, module):
    """of each pass the words that are active and, if masked, inside the group's support, lowest
    first; `last` and `ended` right, while words become active
    """
    config = small(support=True, max_inputs=12, max_neurons=8)
    words, m = config.max_words, p.m
    dut = p.unit(module.GranuleReader(config))
    supports = [p.constant(words, f"support{n}") for n in range(config.support_depth)]
    masked, active, final = p.constant(1, "masked"), p.free(words, "active"), p.free(1, "final")
    take, started = p.free(1, "take"), ~p.first()
    # A word becomes active after all that are below it.
    new = p.named(words, active & ~p.past(active), "new")
    p.assume((p.past(active) & ~active) == 0, ~p.past(final) | (new == 0), ~p.past(final) | final,
             p.first() | (new == 0) | ((new & -new) > p.past(active)))
    read = Signal.like(dut.support_address)
    with m.If(dut.support_enable):
        m.d.sync += read.eq(dut.support_address)
    m.d.comb += [dut.start.eq(p.first()), dut.masked.eq(masked), dut.active.eq(active),
                 dut.final.eq(final), dut.support_word.eq(Array(supports)[read]),
                 dut.take.eq(take & (dut.valid | dut.ended) & started)]
    item = Signal(range(words))
    group, seen = Signal.like(read), Signal(words)
    with m.If(dut.enable):
        m.d.sync += item.eq(dut.address)
    with m.If(dut.take):
        m.d.sync += seen.eq(Mux(dut.last | dut.ended, 0, seen | (C(1, words) << item)))
        m.d.sync += group.eq(group + (dut.last | dut.ended))
    waiting = p.named(words, active & (Array(supports)[group] | (~masked).replicate(words))
                      & ~seen, "waiting")
    lowest = p.named(words, waiting & -waiting, "lowest")
    p.assume(group < config.support_depth - 1)
    p.check(~started | ~dut.valid | (lowest == C(1, words) << item),
            ~started | ~dut.last | (final & (waiting == lowest)),
            ~started | ~dut.ended | (final & (waiting == 0)))


def _feed(p: Property, dut, config, depth: int):
    """Drives the sample stream; the list of the sample that fills, as it should be.

    Returns its entries (index and planes), its length, and its label once it is whole.
    """
    m, size = p.m, config.input_planes * config.lanes
    planes, last, label = p.free(size, "planes"), p.free(1, "last"), p.free(8, "label")
    valid = p.free(1, "valid")
    index, length = Signal(range(depth + 1)), Signal(range(depth + 1))
    taken = p.source(dut.i, Cat(planes, label, last), valid)
    entries = [Signal(8 + size, name=f"entry{n}") for n in range(depth)]
    kept_label = Signal(8)
    p.assume(~valid | last | (index < depth - 1))
    with m.If(taken):
        m.d.sync += index.eq(Mux(last, 0, index + 1))
        with m.If(planes != 0):
            m.d.sync += [length.eq(length + 1), Array(entries)[length].eq(Cat(
                p.named(8, index, "wide"), planes))]
        with m.If(last):
            m.d.sync += kept_label.eq(label)
    with m.If(dut.take):
        m.d.sync += length.eq(0)
    return entries, length, kept_label


def sample_buffer(p: Property, module):
    """a sample in hand has its label and the non-zero words in order, whatever comes in meanwhile;
    no word is taken while one waits
    """
    config = small(lanes=2, update_lanes=2, max_inputs=4)
    depth, m = config.max_input_words, p.m
    dut = p.unit(module.SampleBuffer(config))
    entries, length, label = _feed(p, dut, config, depth)
    take, address = p.free(1, "take"), p.free(range(depth), "address")
    m.d.comb += [dut.take.eq(take & dut.filled), dut.address.eq(address), dut.enable.eq(1)]
    hand = [Signal.like(entry, name="hand") for entry in entries]
    count, in_hand = Signal.like(length), Signal(8)
    with m.If(dut.take):
        m.d.sync += [count.eq(length), in_hand.eq(label)]
        m.d.sync += [kept.eq(entry) for kept, entry in zip(hand, entries, strict=True)]
    whole = Signal()
    with m.If(dut.i.valid & dut.i.ready & dut.i.p.last):
        m.d.sync += whole.eq(1)
    with m.Elif(dut.take):
        m.d.sync += whole.eq(0)
    shown = p.past(Array(hand)[address])
    p.check(dut.count == count, dut.label == in_hand, dut.filled == whole, dut.i.ready == ~whole,
            p.first() | p.past(dut.take) | (p.past(address) >= count)
            | ((dut.entry.index == shown[:8]) & (dut.entry.planes == shown[8:])
               & (dut.entry.mask == Cat(shown[8:10].any(), shown[10:].any()))))


def batch_buffer(p: Property, module):
    """samples stay in the order in which they came, the oldest goes; the one selected has its
    label, count and words
    """
    config = small(lanes=2, update_lanes=2, max_inputs=4, resident=1)
    depth, m, stay = config.max_input_words, p.m, config.resident
    dut = p.unit(module.BatchBuffer(config))
    entries, length, label = _feed(p, dut, config, depth)
    take, select, address = p.free(1, "take"), p.free(1, "select"), p.free(1, "address")
    position = p.free(range(stay + 1), "position")
    heads = [Signal(8, name=f"label{n}") for n in range(stay)]
    counts = [Signal.like(length, name=f"count{n}") for n in range(stay)]
    firsts = [Signal.like(entries[0], name=f"first{n}") for n in range(stay)]
    kept = Signal(range(stay + 1))
    m.d.comb += [dut.take.eq(take & dut.filled), dut.select.eq(select), dut.enable.eq(1),
                 dut.position.eq(position), dut.address.eq(address)]
    p.assume(~select | ~dut.take, ~select | (position < kept))
    with m.If(dut.take):
        full = kept == stay
        m.d.sync += kept.eq(Mux(full, stay, kept + 1))
        for values, new in (heads, label), (counts, length), (firsts, entries[0]):
            for n in range(stay):
                after = values[n + 1] if n + 1 < stay else new
                m.d.sync += values[n].eq(Mux(full, after, Mux(kept == n, new, values[n])))
    chosen = p.past(select, 2) & ~p.past(dut.take, 2) & ~p.past(dut.take)
    at = p.past(position, 2)
    still = ~p.past(select)
    p.check(dut.kept == kept,
            ~chosen | ~still | ((dut.label == Array(heads)[at]) & (dut.count == Array(counts)[at])),
            ~chosen | ~still | p.past(address) | (dut.count == 0)
            | (Cat(dut.entry.planes) == Array(firsts)[at][8:]))


def row_list(p: Property, module):
    """entry k is the k-th row with an error: its sign, bank, place in T and R; `count` and `final`
    in time
    """
    outputs, banks, m = 5, 2, p.m
    config = small(banks=banks)
    lanes = config.update_lanes
    dut = p.unit(module.RowLister(config))
    errors = [p.constant(2, f"error{n}") for n in range(8)]
    count, words = p.constant(4, "outputs"), p.constant(2, "words")
    trits = p.constant(len(dut.record.trit_base), "trit_base")
    residuals = p.constant(len(dut.record.residual_base), "residual_base")
    p.assume((count >= 1) & (count <= outputs), (words >= 1) & (words <= 2),
             trits + words * 4 <= config.trit_depth,
             residuals + 4 * outputs <= config.residual_depth, *(error != 2 for error in errors))
    time = p.time(63)
    store = Array(Cat(*errors[n:n + lanes]) for n in range(0, 8, lanes))
    m.d.comb += [dut.start.eq(time == 0), dut.record.words.eq(words),
                 dut.record.outputs.eq(count), dut.record.trit_base.eq(trits),
                 dut.record.residual_base.eq(residuals),
                 dut.error_word.eq(p.past(store[dut.error_address[:2]]))]
    number, hits = C(0, 4), []
    for n in range(outputs):
        exists = p.named(1, (count > n) & errors[n][0], f"exists{n}")
        row = dut.memory.write_data
        hits.append(exists & (number == dut.count) & (row.negative == errors[n][1])
                    & (row.bank == n % banks) & (row.trit == trits + times(words, n // banks))
                    & (row.residual == residuals + times(words, config.steps * n)))
        number = p.named(4, number + exists, f"number{n}")
    write = dut.memory.write
    p.check(~write | Cat(*hits).any(), ~write | (dut.memory.write_address == dut.count),
            (time == 0) | ~dut.final | (dut.count == number),
            (time < 2) | dut.final | (time < count + 4))
