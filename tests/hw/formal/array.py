"""Properties of the MAC array and of what feeds it."""

from amaranth import *

from tritgrad.hw.datapath.sample_buffer import Entry
from tritgrad.hw.parts.pipeline import words_delay

from .prover import Property, small


def signed_trit(code: Value) -> Value:
    """A trit from the top two bits of its counter."""
    one = C(1, signed(2))
    return Mux(code == 1, one, Mux(code == 2, -one, C(0, signed(2))))


def dot(x: Value, trits: Value) -> Value:
    """The sum of the trits where `x` is set."""
    return sum((Mux(x[n], signed_trit(trits[2 * n:2 * n + 2]), 0) for n in range(len(x))),
               C(0, signed(2)))


def mac_bank(p: Property, module, lanes: int):
    """`sum` and `total` are the exact sums of x t 2^plane since the last `last`"""
    config = small(lanes=lanes, update_lanes=lanes, input_planes=3)
    dut = p.unit(module.MacBank(config))
    x, trits = p.free(lanes, "x"), p.free(2 * lanes, "trits")
    plane, active, last = p.free(2, "plane"), p.free(1, "active"), p.free(1, "last")
    p.assume(plane < 3)
    p.m.d.comb += [
        dut.x.eq(x), dut.trits.eq(trits), dut.plane.eq(p.past(plane, dut.plane_delay)),
        dut.active.eq(p.past(active, dut.sum_delay)),
        dut.last.eq(p.past(active & last, dut.sum_delay))]
    score = signed(config.score_bits)
    term = p.past(p.named(score, dot(x, trits) << plane, "term"), dut.sum_delay)
    total = Signal(score)
    expected = p.named(score, total + term, "expected")
    with p.m.If(dut.active):
        p.m.d.sync += total.eq(Mux(dut.last, 0, expected))
    p.check(~dut.active | (dut.sum == expected), dut.total == total)


def mac_array(p: Property, module, banks: int, pipelined: bool = False, drain: int = 1):
    """with planes as `room` allows: each group's rows leave in order, each with its exact sum,
    `latency` cycles after the last plane, and nothing else leaves
    """
    config = small(lanes=2, banks=banks, update_lanes=2, pipelined=pipelined, drain=drain)
    dut = p.unit(module.MacArray(config))
    x, active, last = p.free(2, "x"), p.free(1, "active"), p.free(1, "last")
    plane, rows = p.free(1, "plane"), p.free(range(banks + 1), "rows")
    words = p.free(4 * banks, "words")
    single = p.free(1, "single") if drain == 2 else Const(1)
    # A last plane's T address was set a cycle before: there must have been room then.
    p.assume(~(active & last) | p.past(dut.room), (rows >= 1) & (rows <= banks))
    m = p.m
    m.d.comb += [dut.x.eq(x), dut.active.eq(active), dut.last.eq(last), dut.plane.eq(plane),
                 dut.rows.eq(rows)]
    if drain == 2:
        m.d.comb += dut.single.eq(single)
    for n in range(banks):
        delay = words_delay(config, n)
        m.d.comb += Value.cast(dut.words)[4 * n:4 * n + 4].eq(
            p.past(words[4 * n:4 * n + 4], delay))
    # A watched group: its sums, and when it leaves.
    score = signed(config.score_bits)
    sums = [Signal(score, name=f"expected{n}") for n in range(banks)]
    ready = [p.named(score, sums[n] + (dot(x, words[4 * n:4 * n + 4]) << plane), f"now{n}")
             for n in range(banks)]
    with m.If(active):
        for n in range(banks):
            m.d.sync += sums[n].eq(Mux(last, 0, ready[n]))
    ends = active & last
    late = dut.latency - 1
    group = [p.past(value, late) for value in ready]
    step = 2 if drain == 2 else 1
    kept = [Signal(score, name=f"kept{n}") for n in range(banks)]
    left, at = Signal(range(banks + 2)), Signal(range(banks + 2))
    alone = Signal()
    came = p.past(ends, late)
    with m.If(came):
        m.d.sync += [entry.eq(value) for entry, value in zip(kept, group, strict=True)]
        m.d.sync += [left.eq(p.past(rows, late)), at.eq(0), alone.eq(p.past(single, late))]
    with m.Elif(left != 0):
        takes = Mux(alone, 1, step)
        m.d.sync += [left.eq(Mux(left > takes, left - takes, 0)), at.eq(at + takes)]
    shown = Array(kept)
    p.check(dut.z_valid == (left != 0), ~dut.z_valid | (dut.z == shown[at]),
            ~came | (left <= Mux(alone, 1, step)))
    if drain == 2:
        p.check(~dut.z_valid | alone | (left < 2) | (dut.z_next == shown[at + 1]))


def forward(p: Property, module):
    """each set plane of each entry is issued once for each row group, in order, with its T address;
    the last plane only when allowed; as soon as there is one; then it is not busy any more
    """
    config = small(lanes=2, update_lanes=2, max_inputs=4, max_neurons=4, trit_depth=16,
                   input_planes=3)
    most, m = 2, p.m
    dut = p.unit(module.ForwardControl(config))
    entries = [p.constant(Entry(config, 3, 2), f"entry{n}") for n in range(most)]
    count, late = p.constant(range(most + 1), "count"), p.constant(1, "late")
    words, outputs = p.constant(2, "words"), p.constant(3, "outputs")
    base, allow = p.constant(3, "base"), p.free(1, "allow")
    time, shown = p.time(2), p.free(1, "shown")
    p.assume(count <= most, (words >= 1) & (words <= 2), (outputs >= 1) & (outputs <= 4))
    for entry in entries:
        planes = entry.planes
        p.assume(entry.mask == Cat(planes[n:n + 2].any() for n in range(0, 6, 2)), entry.mask.any())
    # The list's reader: it shows an entry, sooner or later, until that is taken. The last one is
    # marked, unless the list was known to be final only after it.
    item = Signal(range(most + 1))
    over = p.named(1, item == count, "over")
    waits = p.past((dut.entry_valid | dut.entry_ended) & ~dut.entry_take)
    p.assume(~waits | shown)
    m.d.comb += [
        dut.entry.eq(Mux(item == 0, Value.cast(entries[0]), Value.cast(entries[1]))),
        dut.entry_valid.eq(shown & ~over), dut.entry_ended.eq(shown & over),
        dut.entry_last.eq(shown & ~late & (item + 1 == count)),
        dut.start.eq(time == 0), dut.allow_last.eq(allow), dut.record.words.eq(words),
        dut.record.outputs.eq(outputs), dut.record.trit_base.eq(base),
    ]
    with m.If(dut.entry_take):
        m.d.sync += item.eq(Mux(over | dut.entry_last, 0, item + 1))
    # What is to come next.
    group, done = Signal(3), Signal(3)
    left = p.named(3, Mux(over, 0, dut.entry.mask & ~done), "left")
    low = p.named(3, left & -left, "low")
    final = p.named(1, Mux(over, 1, dut.entry_last & (left == low)), "final")
    running = p.named(1, (time != 0) & (group * 2 < outputs), "running")
    go = p.named(1, running & shown & (~final | allow), "go")
    rest = p.named(3, outputs - 2 * group, "rest")
    with m.If(go):
        m.d.sync += [done.eq(Mux(left == low, 0, done | low)), group.eq(group + final)]
    plane = p.named(2, Mux(low[2], 2, low[1]), "plane")
    x = Mux(over, 0, Array(dut.entry.planes[n:n + 2] for n in range(0, 6, 2))[plane])
    p.check(~go | over | (dut.address == base + group * words + dut.entry.index),
            dut.active == p.past(go), dut.busy == running,
            dut.entry_take == (go & (left == low)),
            ~dut.active | (Cat(dut.x, dut.last, dut.rows) == p.past(Cat(
                p.named(2, x, "x"), final, p.named(2, Mux(rest > 2, 2, rest), "rows")))),
            ~dut.active | p.past(over) | (dut.plane == p.past(plane)))


def compressor(p: Property, module, heights: tuple[int, ...]):
    """`pipelined_sum` is the sum of its columns' bits by weight, `cuts` cycles later"""
    columns = [list(p.free(height, f"column{n}")) for n, height in enumerate(heights)]
    total = module.pipelined_sum(p.m, columns, 2)
    bits = len(heights) + 4
    want = p.named(bits, sum(bit << n for n, column in enumerate(columns) for bit in column),
                   "want")
    late = len(module.cuts(list(heights), 2))
    p.check((p.time(7) < late) | (total == p.past(want, late)))
