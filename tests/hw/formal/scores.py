"""Properties of what is made of pre-activations: activations, decisions, errors, losses."""

from amaranth import *

from .prover import Property, small


def activation(p: Property, module, drain: int):
    """words and gate bits are those of clamp(z >> shift), in order, padded with 0; `busy` until the
    last word; for one to three neurons
    """
    outputs, m = 3, p.m
    config = small(lanes=2, update_lanes=1, max_neurons=6, drain=drain)
    bits, lanes = config.activation_bits, config.lanes
    score, top = signed(config.score_bits), (1 << config.activation_bits) - 1
    dut = p.unit(module.ActivationUnit(config))
    zs = [p.free(score, f"z{n}") for n in range(drain)]
    valid, shift = p.free(1, "valid"), p.constant(5, "shift")
    count, time, given = p.constant(3, "outputs"), p.time(63), Signal(4)
    p.assume((count >= 1) & (count <= outputs), shift < config.score_bits,
             ~valid | ((time > 0) & (given < count)))
    m.d.comb += [dut.start.eq(time == 0), dut.record.shift.eq(shift), dut.layer.eq(1),
                 dut.record.outputs.eq(count), dut.z.eq(zs[0]), dut.z_valid.eq(valid),
                 dut.read_layer.eq(2)]
    if drain == 2:
        m.d.comb += dut.z_next.eq(zs[1])
    hs = [Signal(bits, name=f"h{n}") for n in range(outputs + 1)]
    gates = [Signal(name=f"gate{n}") for n in range(outputs + 1)]
    with m.If(valid):
        m.d.sync += given.eq(given + drain)
        for k, z in enumerate(zs):
            shifted = p.named(score, z >> shift, f"shifted{k}")
            for n in range(outputs):
                with m.If(given + k == n):
                    m.d.sync += [
                        hs[n].eq(Mux(shifted < 0, 0, Mux(shifted > top, top, shifted))),
                        gates[n].eq((shifted >= 0) & (shifted <= top))]
    stored, write = Signal(4), dut.gate_memory.write
    with m.If(write):
        m.d.sync += stored.eq(stored + 1)
        for word in range(2):
            with m.If(stored == word):
                for lane in range(lanes):
                    n = word * lanes + lane
                    exists = (count > n) & (n < outputs)
                    p.check(dut.gate_memory.write_data[lane] == (exists & gates[n]))
                    planes = Value.cast(dut.memory.write_data.planes)
                    for plane in range(bits):
                        p.check(planes[plane * lanes + lane] == (exists & hs[n][plane]))
    words = p.named(2, (count + lanes - 1) >> 1, "words")
    p.check((time == 0) | (dut.busy == (stored < words)),
            (time == 0) | (dut.read_final != dut.busy))


def score_scan(p: Property, module, classes: int):
    """prediction and rival are the first maxima, `gap` is the difference, `busy` until the last
    score
    """
    config, m = small(max_classes=classes), p.m
    score = signed(config.score_bits)
    dut = p.unit(module.ScoreScan(config))
    z, valid, time, given = p.free(score, "z"), p.free(1, "valid"), p.time(63), Signal(4)
    count, label = p.constant(range(classes + 1), "count"), p.constant(range(classes), "label")
    p.assume((count >= 2) & (count <= classes) & (label < count),
             ~valid | ((time > 0) & (given < count)))
    m.d.comb += [dut.start.eq(time == 0), dut.classes.eq(count), dut.label.eq(label), dut.z.eq(z),
                 dut.z_valid.eq(valid)]
    scores = [Signal(score, name=f"score{n}") for n in range(classes)]
    with m.If(valid):
        m.d.sync += [given.eq(given + 1), Array(scores)[given].eq(z)]
    done = p.named(1, (given == count) & (time > 0), "done")
    own = p.named(score, Array(scores)[label], "own")
    for n in range(classes):
        best, rival = (count > n), (count > n) & (label != n)
        for other in range(classes):
            if other != n:
                beats = ((scores[n] > scores[other]) if other < n
                         else (scores[n] >= scores[other]))
                best &= (other >= count) | beats
                rival &= (other >= count) | (label == other) | beats
        p.check(~(done & best) | (dut.prediction == n), ~(done & rival) | (dut.rival == n),
                ~(done & rival) | (dut.gap == own - scores[n]))
    p.check((time == 0) | (dut.busy == ~done))


def margin(p: Property, module):
    """`violated` is gap < margin"""
    dut = p.unit(module.ErrorUnit(small()))
    p.drive(dut, "margin", "gap")
    p.check(dut.violated == (dut.gap < dut.margin))


def error_words(p: Property, module):
    """a violated sample's words hold +1 at the target, -1 at the rival and 0 elsewhere; all words
    of the layer are written, in order, and no other
    """
    config, m = small(), p.m
    lanes, dut = config.update_lanes, p.unit(module.ErrorUnit(small()))
    target, rival = p.constant(2, "target"), p.constant(2, "rival")
    count, base = p.constant(3, "classes"), p.constant(1, "base")
    low, time, written = p.constant(1, "low"), p.time(15), Signal(4)
    p.assume((count >= 2) & (count <= 4), target < count, rival < count, target != rival)
    m.d.comb += [dut.start.eq(time == 0), dut.margin.eq(1), dut.gap.eq(Mux(low, 0, 1)),
                 dut.target.eq(target), dut.rival.eq(rival), dut.record.outputs.eq(count),
                 dut.record.output_base.eq(base)]
    m.d.sync += written.eq(written + dut.write)
    words = p.named(3, Mux(low, (count + lanes - 1) >> 1, 0), "words")
    for n in range(lanes):
        neuron = p.named(4, written * lanes + n, f"neuron{n}")
        p.check(~dut.write | (dut.write_data[2 * n:2 * n + 2] == Mux(
            neuron == rival, 3, Mux(neuron == target, 1, 0))))
    p.check(~dut.write | (dut.write_address == base * config.steps + written), written <= words,
            (time == 0) | (dut.flag == low), (time == 0) | (dut.busy == (written < words)))


def loss(p: Property, module):
    """`total` is the sum of clip(margin - gap, 0, 2 margin) of the positive side less that of the
    negative one, over all samples in order; then no direction is left
    """
    config, m = small(resident=1), p.m
    dut = p.unit(module.LossUnit(config))
    gap, strobe = p.free(signed(config.score_bits + 1), "gap"), p.free(1, "strobe")
    limit, kept = p.constant(23, "margin"), p.constant(1, "kept")
    time, losses = p.time(3), Signal(4)
    wide = signed(40)
    m.d.comb += [dut.probe.eq(time == 0), dut.margin.eq(limit), dut.gap.eq(gap), dut.kept.eq(kept),
                 dut.loss.eq(strobe & ~dut.busy & (time != 0))]
    p.assume(kept == 1)
    lack = p.named(wide, limit - gap, "lack")
    amount = p.named(wide, Mux(lack < 0, 0, Mux(lack > 2 * limit, 2 * limit, lack)), "amount")
    total = Signal(wide)
    with m.If(dut.loss):
        m.d.sync += losses.eq(Mux(losses == 15, 15, losses + 1))
        with m.If(losses == 0):
            m.d.sync += total.eq(amount)
        with m.Elif(losses == 1):
            m.d.sync += total.eq(total - amount)
    rests = (time != 0) & ~dut.busy
    p.check(~rests | (dut.total == total), ~rests | (dut.perturbed == (losses < 2)),
            ~rests | (dut.negative == (losses == 1)), ~dut.loss | (dut.settled == (losses > 0)))


def loss_step(p: Property, module):
    """the step is the largest power of two that is at most total x 2^gain, no more than 2^(b - 3),
    and 0 for 0 or less than 1
    """
    config, m = small(resident=1, counter_bits=8), p.m
    dut = p.unit(module.LossUnit(config))
    gap, limit = p.constant(len(dut.gap), "gap"), p.constant(23, "margin")
    gain, time = p.free(signed(5), "gain"), p.time(31)
    m.d.comb += [dut.probe.eq(time == 0), dut.loss.eq(time == 5), dut.margin.eq(limit),
                 dut.gap.eq(gap), dut.kept.eq(1), dut.gain.eq(gain)]
    top = config.counter_bits - 3
    size = p.named(60, p.past(Mux(dut.total < 0, -dut.total, dut.total)), "size")
    scaled = p.named(80, (size << 16) << p.past((gain + 16)[:5]), "scaled")  # 32 places up
    p.assume(gain >= -15, gain <= config.counter_bits - 2)
    at = (scaled >> 32)[:48]
    want = Mux(at >= 1 << top, 1 << top, 0)
    for n in reversed(range(top)):
        want = Mux(at[n:] == 1, 1 << n, want)
    p.check((time < 10) | (dut.step == want), (time < 10) | (dut.down == p.past(dut.total > 0)))
