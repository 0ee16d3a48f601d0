"""Properties of the optional units."""

from amaranth import *
from amaranth.lib import data

from tritgrad.model.scales.chip import CORR_BITS, FRACTION_BITS
from tritgrad.units.trace.events import StepEvent

from .array import signed_trit
from .lanes import code_value
from .prover import Property, small


def row_sums(p: Property, module):
    """the word of SUMS written for a row is the word kept plus all changes, mod 3, whatever the
    steps; `busy` until then
    """
    config, m = small(row_sums=True), p.m
    lanes, dut = config.update_lanes, p.unit(module.RowSums(config))
    step, ends = p.free(1, "step"), p.free(1, "ends")
    new, old = p.free(2 * lanes, "new"), p.free(2 * lanes, "old")
    row = p.constant(range(config.sum_depth), "row")
    p.assume(row < config.sum_depth)
    changes = dut.changes
    m.d.comb += [changes.step.eq(step), changes.ends.eq(ends), changes.new.eq(new),
                 changes.old.eq(old), changes.row.number.eq(row)]
    change = p.named(6, sum(code_value(new[n:n + 2]) + 3 - code_value(old[n:n + 2])
                            for n in range(0, 2 * lanes, 2)), "change")
    # The row's next update begins after this one is written.
    quiet = Signal(2)
    with m.If(step & ends):
        m.d.sync += quiet.eq(3)
    with m.Elif(quiet != 0):
        m.d.sync += quiet.eq(quiet - 1)
    p.assume(~step | (quiet == 0))
    total, kept = Signal(2), Signal(2)
    after = p.named(6, (total + change) % 3, "after")
    with m.If(step):
        m.d.sync += total.eq(Mux(ends, 0, after))
    write = p.past(step & ends, 2)
    with m.If(write):
        m.d.sync += kept.eq(dut.memory.write_data)
    p.check(dut.memory.write == write,
            ~write | ((dut.memory.write_address == row)
                      & (dut.memory.write_data == (kept + p.past(after, 2)) % 3)),
            dut.dispatch.busy == (step | p.past(step) | write))


def scrub(p: Property, module):
    """after SCRUB `corrupt` says whether a row's trits and its word of SUMS differ mod 3"""
    config, m = small(row_sums=True, lanes=2, update_lanes=1, max_neurons=4, max_inputs=4,
                      max_classes=4), p.m
    dut, depth, rows = p.unit(module.RowSums(config)), 4, 3
    trits = [p.constant(4 * depth, f"bank{n}") for n in range(2)]
    sums = [p.constant(2, f"sum{n}") for n in range(rows)]
    words, outputs, base = p.constant(2, "words"), p.constant(2, "outputs"), p.constant(1, "base")
    time = p.time(63)
    p.assume((words >= 1) & (words <= 2), (outputs >= 1) & (outputs <= rows),
             *(value < 3 for value in sums))
    address = p.named(2, dut.trits.address, "address")
    word = p.past(p.past(Mux(dut.trits.bank, trits[1], trits[0]).word_select(address, 4)))
    loading = time < rows
    window, dispatch = dut.window, dut.dispatch
    m.d.comb += [dispatch.linked.eq(loading), window.write.eq(loading),
                 window.address.eq(time[:2]), window.write_data.eq(Array(sums)[time[:2]]),
                 dispatch.scrub.eq(time == rows), dispatch.record.words.eq(words),
                 dispatch.record.outputs.eq(outputs), dispatch.record.trit_base.eq(base),
                 dut.trits.word.eq(word)]
    # Rows that lie beyond these words are none of a layer.
    p.assume(base + words * ((outputs + 1) >> 1) <= depth)
    differs = C(0, 1)
    for n in range(rows):
        total = C(0, 8)
        for k in range(2):
            at = p.named(3, base + words * (n // 2) + k, f"at{n}_{k}")
            codes = trits[n % 2].word_select(at[:2], 4)
            total = total + Mux(words > k, code_value(codes[:2]) + code_value(codes[2:]), 0)
        differs = differs | ((outputs > n) & (p.named(8, total, f"total{n}") % 3 != sums[n]))
    cycles = p.named(6, words * outputs + 3, "cycles")
    done = p.named(1, time > rows + cycles, "done")
    p.check((time <= rows) | (dispatch.hold == ~done), ~done | (dispatch.corrupt == differs))


def purge(p: Property, module, bound: int):
    """only words of the layer's ranges of T, R and SUPPORT are written, only while busy, a word of
    R at most once; a layer of three rows and two words ends within its cycles
    """
    outputs, m = 3, p.m
    config = small(banks=2, max_neurons=4, support=True, lanes=2, update_lanes=1, max_inputs=4,
                   activation_bits=1, input_planes=1)
    dut, steps = p.unit(module.PurgeUnit(config)), config.steps
    count, words, operand = (p.constant(bits, name) for name, bits in (
        ("outputs", 3), ("words", 2), ("operand", 21)))
    trits, residuals, watched = (p.constant(bits, name) for name, bits in (
        ("trit_base", 4), ("residual_base", 5), ("watched", 5)))
    p.drive(dut, "trit_word", "residual_word")
    p.assume((count >= 1) & (count <= outputs), (words >= 1) & (words <= 2), trits + 4 < 16,
             residuals + 2 * steps * outputs < 32)
    time = p.time(255)
    m.d.comb += [dut.limits.eq(time == 0), dut.operand.eq(operand), dut.start.eq(time == 1),
                 dut.record.words.eq(words), dut.record.outputs.eq(count),
                 dut.record.trit_base.eq(trits), dut.record.residual_base.eq(residuals),
                 dut.record.group_base.eq(0)]
    groups = (count + 1) >> 1
    seen, writes = Signal(), dut.residual_write & (dut.residual_address == watched)
    with m.If(writes):
        m.d.sync += seen.eq(1)
    p.check(~dut.trit_write | ((dut.trit_address >= trits)
                               & (dut.trit_address < trits + words * groups)),
            ~dut.residual_write | ((dut.residual_address >= residuals) & (
                dut.residual_address < residuals + words * steps * count)),
            ~dut.support_write | (dut.group < groups), ~writes | ~seen,
            dut.busy | ~(dut.trit_write | dut.residual_write | dut.support_write),
            (time < bound) | ~dut.busy)


def purge_words(p: Property, module):
    """what is written is the word read, with 0 for each counter that is small, or not 0 in a
    granule that is thin; the support has a bit for each granule that is not
    """
    config, m = small(banks=1, max_neurons=2, support=True, lanes=2, update_lanes=1, max_inputs=2,
                      activation_bits=1, input_planes=1, max_classes=2), p.m
    dut, bits = p.unit(module.PurgeUnit(config)), config.counter_bits
    low = config.residual_bits
    trits = p.constant(4, "trits")
    residuals = [p.constant(low, f"residual{n}") for n in range(2)]
    operand, time, step = p.constant(21, "operand"), p.time(63), Signal(1)
    cutoff, k = operand[:16], operand[16:20]
    m.d.comb += [dut.limits.eq(time == 0), dut.operand.eq(operand), dut.start.eq(time == 1),
                 dut.record.words.eq(1), dut.record.outputs.eq(1),
                 dut.trit_word.eq(trits), dut.residual_word.eq(
                     p.past(Array(residuals)[dut.residual_address[:1]]))]
    m.d.sync += step.eq(step ^ dut.residual_write)
    codes = [trits[:2], trits[2:]]
    nonzero = [code[0] ^ code[1] for code in codes]
    total = p.named(2, nonzero[0] + nonzero[1], "total")
    thin = p.named(1, total <= cutoff, "thin")
    new_trits = []
    for n in range(2):
        counter = p.named(signed(bits), Cat(residuals[n], codes[n]).as_signed(), f"counter{n}")
        limit = p.named(signed(20), C(1, 18) << k, f"limit{n}")
        tiny = (k != 0) & (counter >= -limit) & (counter < limit)
        zero = p.named(1, tiny | (thin & nonzero[n]), f"zero{n}")
        new_trits.append(Mux(zero, 0, codes[n]))
        p.check(~dut.residual_write | (step != n) | (
            dut.residual_write_data == Mux(zero, 0, residuals[n])))
    p.check(~dut.trit_write | (dut.trit_write_data == Cat(*new_trits)),
            ~dut.support_write | (dut.support[0] == ((total > cutoff) & (k < bits - 1))),
            ~dut.support_write | (k == 0) | p.past(p.named(1, dut.busy, "busy")))


def scale_multiplier(p: Property, module):
    """two cycles later: the sum of z times the two powers of two of its code, each rounded down"""
    config = small(scales=True)
    dut, top, wide = p.unit(module.ScaleMultiplier(config)), FRACTION_BITS + 1, signed(40)
    p.drive(dut, "z", "code")
    upper = p.named(4, dut.code.upper ^ FRACTION_BITS, "upper")
    lower = dut.code.lower
    double = p.named(wide, dut.z << 1, "double")
    first = p.named(wide, Mux(upper <= top, double >> (top - upper)[:4], 0), "first_term")
    counts = (lower >= 1) & (lower <= top) & (upper != top)
    second = p.named(wide, Mux(counts, double >> (top + 1 - lower)[:4], 0), "second_term")
    bits = config.score_bits
    p.check((p.time(3) < 2) | (dut.o == p.past(p.named(wide, first + second, "both"), 2)[:bits]
                               .as_signed()))


def factor_divider(p: Property, module, size: int):
    """the code is that of the sum of two powers of two nearest to 2^8 (D + corr) / D, the lower of
    equals; done within 11 cycles; for D below 2^size
    """
    dut, m, top, wide = p.unit(module.FactorDivider()), p.m, FRACTION_BITS + 1, 2 * FRACTION_BITS
    d, corr, time = p.constant(size, "d"), p.constant(signed(size + 1), "corr"), p.time(31)
    assert size < CORR_BITS
    # |corr| is at most D, so that the factor is 0 to 2.
    p.assume(d != 0, corr <= d, corr >= -d)
    m.d.comb += [dut.start.eq(time == 0), dut.d.eq(d), dut.corr.eq(corr)]
    total = p.named(size + wide, (d + corr) << FRACTION_BITS, "total")
    q = p.constant(top + 1, "quotient")
    product = p.named(size + wide, q * d, "product")
    p.assume(product <= total, total < product + d)
    ones = sum(q[n] for n in range(top + 1))
    upper, lower = C(0, 4), C(0, 4)
    rest = q
    for n in range(top + 1):
        upper = Mux(q[n], n, upper)
    rest = p.named(top + 1, q & ~(C(1, top + 1) << p.named(4, upper, "upper")), "rest")
    for n in range(top + 1):
        lower = Mux(rest[n], n, lower)
    lower = p.named(4, lower, "lower")
    low = p.named(top + 2, C(1, top + 2) << lower, "low")
    up = (ones > 2) & (rest - low > 2 * low - rest)
    raised = p.named(4, lower + up, "raised")
    value = p.named(top + 2, Mux(ones == 0, 0, (C(1, top + 2) << upper) + Mux(
        ones > 1, C(1, top + 2) << raised, 0)), "value")
    told_upper = p.named(4, dut.code.upper ^ FRACTION_BITS, "told_upper")
    told = p.named(top + 2, Mux(told_upper <= top, C(1, top + 2) << told_upper, 0) + Mux(
        dut.code.lower != 0, C(1, top + 2) << (dut.code.lower - 1)[:4], 0), "told")
    p.check((time < 12) | dut.done, (time < 1) | ~dut.done | (told == value))


def skip(p: Property, module):
    """a cycle later: z plus the shifted activation that was stored for its neuron, in a layer with
    a skip; z as it is elsewhere
    """
    config = small(lanes=2, update_lanes=1, skip=True, max_layers=3, max_inputs=4, max_neurons=4)
    dut, m, bits = p.unit(module.SkipConnection(config)), p.m, config.activation_bits
    stage = dut.stage
    words = [p.constant(2 * bits, f"word{n}") for n in range(2)]
    exponent, time, z = p.constant(4, "skip"), p.time(31), p.free(signed(config.score_bits), "z")
    valid, number, known = p.free(1, "valid"), Signal(3), p.constant(1, "known")
    p.assume(exponent <= 8, ~valid | ((time > 5) & (number < 4)))
    m.d.comb += [
        stage.start.eq((time == 3) | ((time == 0) & known)), stage.layer.eq(Mux(time == 0, 1, 2)),
        stage.record.skip.eq(exponent), stage.record.input_base.eq(1),
        dut.stored.store.eq((time == 1) | (time == 2)), dut.stored.address.eq(time[:2]),
        dut.stored.planes.eq(Mux(time == 1, words[0], words[1])),
        stage.z.eq(z), stage.z_valid.eq(valid)]
    m.d.sync += number.eq(number + valid)
    word = Mux(number[1], words[1], words[0])
    x = p.named(bits, Cat(word[2 * n:2 * n + 2].bit_select(number[0], 1) for n in range(bits)), "x")
    shift = p.named(3, exponent - 1, "shift")
    added = p.named(signed(20), Mux((exponent != 0) & known, x << shift, 0), "added")
    expected = p.past(p.named(signed(config.score_bits), z + added, "expected"))
    p.check(stage.o_z_valid == p.past(valid), ~stage.o_z_valid | (stage.o_z == expected))


def direction(p: Property, module, lanes: int):
    """of each lane: the sign is bit 0 of the fold of row and chunk, the trit is not 0 where planes
    1 to k all have its bit set; for any words, offset and sparsity 1 to 6
    """
    config = small(lanes=lanes, update_lanes=1, resident=1)
    dut = p.unit(module.DirectionFold(config))
    p.drive(dut, "row", "chunks", "offset", "sparsity")
    p.assume((dut.sparsity >= 1) & (dut.sparsity <= module.MAX_SPARSITY))
    for lane in range(lanes):
        part = 0 if lanes >= module.CHUNK else dut.offset * lanes
        chunk = dut.chunks[32 * (lane // module.CHUNK):][:32]

        def fold(plane, chunk=chunk, part=part, lane=lane):
            r = dut.row.rotate_right(11 * plane % 32)
            c = chunk.rotate_right(5 * plane % 32)
            word = (r ^ c ^ (r.rotate_right(30) & c.rotate_right(15))
                    ^ (r.rotate_right(20) & c.rotate_right(27)))
            return word[:module.CHUNK].bit_select(part + lane % module.CHUNK, 1)

        mask = Const(1)
        for plane in range(1, module.MAX_SPARSITY + 1):
            mask &= (dut.sparsity < plane) | fold(plane)
        p.check(dut.nonzero[lane] == mask, dut.negative[lane] == fold(0))


def perturbed(p: Property, module):
    """trits plus the trits of a direction, clipped to -1, 0 and 1"""
    lanes = 2
    trits, nonzero = p.free(2 * lanes, "trits"), p.free(lanes, "nonzero")
    negative = p.free(lanes, "negative")
    o = p.named(2 * lanes, module.perturbed(trits, nonzero, negative), "o")
    for n in range(lanes):
        step = Mux(nonzero[n], Mux(negative[n], C(-1, signed(2)), C(1, signed(2))), 0)
        total = p.named(signed(4), signed_trit(trits[2 * n:2 * n + 2]) + step, f"total{n}")
        p.check(signed_trit(o[2 * n:2 * n + 2]) == Mux(total > 1, 1, Mux(total < -1, -1, total)))


def event_queue(p: Property, module):
    """with at most `margin` writes after `nearly_full` no event is lost, doubled or out of order;
    `o` keeps its contract; `empty` says so
    """
    depth, m = 8, p.m
    dut = p.unit(module.EventQueue(small(trace=True), depth))
    size = len(Value.cast(dut.event))
    # The queue never looks at an event, so one free bit of it stands for all.
    write, bit = p.free(1, "write"), p.free(1, "bit")
    m.d.comb += [dut.write.eq(write), Value.cast(dut.event).eq(bit.replicate(size)),
                 dut.o.ready.eq(p.free(1, "ready"))]
    late = Signal(range(dut.margin + 2))
    with m.If(~dut.nearly_full):
        m.d.sync += late.eq(0)
    with m.Elif(write):
        m.d.sync += late.eq(late + 1)
    p.assume(~(write & dut.nearly_full) | (late < dut.margin))
    watched, want = p.constant(5, "watched"), p.constant(1, "want")
    put, got = Signal(5), Signal(5)
    out = dut.o.valid & dut.o.ready
    with m.If(write):
        m.d.sync += put.eq(put + 1)
        p.assume((put != watched) | (bit == want))
    with m.If(out):
        m.d.sync += got.eq(got + 1)
        p.check((got != watched) | (Value.cast(dut.o.p) == want.replicate(size)))
    count = p.named(5, put - got, "count")
    p.check(~out | (count != 0), count <= depth + 1, dut.empty == (count == 0))
    p.keeps_contract(dut.o)


def event_rate(p: Property, module):
    """an event that waits is offered two cycles after it came, and the next one right behind"""
    m = p.m
    dut = p.unit(module.EventQueue(small(trace=True), 8))
    write, waiting = p.free(1, "write"), Signal(5)
    m.d.comb += [dut.write.eq(write), dut.o.ready.eq(1)]
    m.d.sync += waiting.eq(waiting + write - dut.o.valid)
    p.check(dut.o.valid == p.past(write, 2), waiting <= 2)


def trace_unit(p: Property, module):
    """no byte outside a record; a step's item holds its place, sign and flips; `last` ends only an
    END item, which has the record's number; `o` keeps its contract
    """
    config, m = small(trace=True, lanes=2, update_lanes=2), p.m
    dut = p.unit(module.TraceUnit(config))
    mode, time = p.constant(2, "mode"), p.time(63)
    event = data.View(StepEvent(config), p.constant(StepEvent(config).size, "step"))
    at, ends = p.constant(3, "at"), p.free(1, "ends")
    opened, told = Signal(), Signal()
    came = p.named(1, time == at + 2, "came")
    switch = p.named(1, (time == 1) | (ends & dut.settled & (time > at + 4) & ~told), "switch")
    with m.If(switch & (time != 1)):
        m.d.sync += told.eq(1)
    dispatch, changes = dut.dispatch, dut.changes
    m.d.comb += [dispatch.clear.eq(time == 0), dispatch.trace.eq(switch),
                 dut.o.ready.eq(p.free(1, "ready")), dispatch.operand.eq(Mux(time == 1, mode, 0)),
                 changes.flips.eq(Mux(came, event.flips, 0)),
                 changes.saturated.eq(Mux(came, event.saturated, 0)),
                 changes.row.negative.eq(event.negative), changes.row.bank.eq(event.bank),
                 changes.address.eq(event.address), changes.part.eq(event.step)]
    with m.If(time == 1):
        m.d.sync += opened.eq(mode != 0)
    out, place = dut.o.valid & dut.o.ready, Signal(5)
    m.d.sync += place.eq(place + out)
    saturated = Mux(mode[1], event.saturated, 0)
    has = p.named(1, opened & (event.flips | saturated).any(), "has")
    item = [Mux(event.negative, 2, 1), event.bank, event.step, event.address, 0, event.flips,
            saturated]
    size = Mux(has, len(item), 0)
    for n, byte in enumerate(item):
        p.check(~out | ~has | (place != n) | (dut.o.p.data == byte))
    p.check(~dut.o.valid | opened, ~out | (place < size) | told,
            ~out | (place != size) | (dut.o.p.data == 5),
            ~out | (place <= size) | (dut.o.p.data == 0), ~out | (place < size + 5),
            ~out | (dut.o.p.last == (place == size + 4)))
    p.keeps_contract(dut.o)
