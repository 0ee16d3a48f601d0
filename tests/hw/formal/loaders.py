"""Properties of what checks and writes a program, a table and samples."""

from amaranth import *

from tritgrad.firmware.isa import FORMAT, INSTRUCTIONS, Operand
from tritgrad.units.registry import LAYER_ROW, available

from .prover import Property, small


def program(p: Property, module, most: int):
    """no word is written unless each is valid; then all are, in order; `fault` and `length` say so;
    for programs of up to `most` words of any bits
    """
    config, m = small(), p.m
    dut = p.unit(module.ProgramLoader(config))
    count = p.constant(range(most + 1), "count")
    words = [p.constant(32, f"word{n}") for n in range(most)]
    time, index, shift = p.time(63), Signal(5), Signal(32)
    p.assume((count >= 1) & (count <= most))
    m.d.comb += [dut.start.eq(time == 0), dut.count.eq(count), dut.word.eq(shift)]
    stream = Cat(*words)
    with m.If(dut.rewind):
        m.d.sync += index.eq(0)
    with m.Elif(dut.gather):
        m.d.sync += index.eq(index + 1)
        m.d.sync += shift.eq(Cat(shift[8:], stream.word_select(index, 8)))
    wrong = []
    for n, word in enumerate(words):
        fields = {name: word[first:first + width] for name, first, width in FORMAT}
        value, opcode = fields["immediate"], fields["opcode"]
        bad = ~opcode.matches(*available(config))
        rules = {
            Operand.NONE: value != 0, Operand.COUNT: value == 0, Operand.TARGET: value >= count,
            Operand.LAYER: (value == 0) | (value > config.max_layers),
            Operand.MARGIN: (value == 0) | (value >= 1 << 23)}
        for op in available(config):
            bad |= (opcode == op) & rules[INSTRUCTIONS[op].operand]
        wrong.append((count > n) & bad)
    bad = p.named(1, Cat(*wrong).any(), "bad")
    number, over = Signal(3), Signal()
    with m.If(dut.write):
        m.d.sync += number.eq(number + 1)
    with m.If(dut.done):
        m.d.sync += over.eq(1)
    p.check(~dut.write | (~bad & (dut.address == number) & (number < count)),
            ~dut.write | (dut.data == Array(words)[number[:2]]),
            ~dut.done | over | (dut.fault == bad), ~(over & bad) | (dut.length == 0),
            ~over | bad | ((dut.length == count) & (number == count)),
            (time < 2 + 10 * most) | over)


def table(p: Property, module, rows: int):
    """no row is written unless the whole table is valid, by `model.layout`'s rules; then all are,
    at the places where `model.layout.place` puts them
    """
    config, m = small(lanes=2, update_lanes=1, banks=2, max_inputs=3, max_neurons=3, max_classes=3,
                      trit_depth=4, residual_depth=10, hidden_depth=2), p.m
    dut = p.unit(module.TableLoader(config))
    wide, time, index, over = 12, p.time(255), Signal(6), Signal()
    fields = [{name: p.constant(16 if code == "H" else 8, f"{name}{n}") for name, code in LAYER_ROW}
              for n in range(rows)]
    stream = Cat(*(signal for row in fields for signal in row.values()))
    m.d.comb += [dut.start.eq(time == 0), dut.rows.eq(rows), dut.byte.eq(
        stream.word_select(index, 8))]
    with m.If(dut.rewind):
        m.d.sync += index.eq(0)
    with m.Elif(dut.take):
        m.d.sync += index.eq(index + 1)
    # The rules and places of model.layout.
    wrong, trit, residual, target, source = [], C(0, wide), C(0, wide), C(0, wide), C(0, wide)
    places = []
    for n, row in enumerate(fields):
        last, gain = n == rows - 1, row["gain"].as_signed()
        inputs, outputs = row["inputs"], row["outputs"]
        most = config.max_classes if last else config.max_neurons
        wrong += [outputs < (2 if last else 1), outputs > most, row["shift"] > 31, gain < -15,
                  gain > config.counter_bits - 2, row["skip"] != 0]
        if n == 0:
            wrong += [inputs == 0, inputs > config.max_inputs, row["planes"] == 0,
                      row["planes"] > config.input_planes]
        else:
            wrong += [inputs != fields[n - 1]["outputs"], row["planes"] != config.activation_bits]
        words = p.named(wide, (inputs[:4] + 1) >> 1, f"words{n}")
        places.append((words, trit, residual, source, target))
        small_outputs = outputs[:4]
        trit = p.named(wide, trit + words * ((small_outputs + 1) >> 1), f"trit{n}")
        residual = p.named(wide, residual + words * config.steps * small_outputs, f"residual{n}")
        source = target
        target = p.named(wide, target + ((small_outputs + 1) >> 1), f"target{n}")
        if n < rows - 1:
            wrong.append(target > config.hidden_depth)
    wrong += [trit > config.trit_depth, residual > config.residual_depth]
    bad = p.named(1, Cat(*wrong).any(), "bad")
    with m.If(dut.done):
        m.d.sync += over.eq(1)
    for n, (row, (words, trit, residual, source, target)) in enumerate(
            zip(fields, places, strict=True)):
        record = dut.record
        p.check(~dut.write | (dut.index != n) | (
            (record.words == words) & (record.outputs == row["outputs"])
            & (record.trit_base == trit) & (record.residual_base == residual)
            & (record.input_base == source) & (record.output_base == target)
            & (record.shift == row["shift"]) & (record.gain == row["gain"].as_signed())))
    p.check(~dut.write | ~bad, ~dut.done | over | (dut.fault == bad),
            ~over | (dut.layers == Mux(bad, 0, rows)),
            ~over | bad | (dut.classes == fields[-1]["outputs"]),
            ~over | bad | (dut.inputs == fields[0]["inputs"]),
            ~over | bad | (dut.item_bytes == 1 + fields[0]["planes"]),
            (time < 2 * rows * (12 + 6) + 4) | over)


def unpack(p: Property, module, lanes: int):
    """the words of a sample are its bits, lane by lane and plane by plane, with its label, and
    zeros behind them; `last` with the last
    """
    config, m = small(lanes=lanes, update_lanes=1, max_inputs=10, input_planes=2), p.m
    dut = p.unit(module.Unpacker(config))
    inputs, planes = p.constant(4, "inputs"), p.constant(2, "planes")
    label, valid, time = p.constant(8, "label"), p.free(1, "valid"), p.time(63)
    p.assume((inputs >= 1) & (inputs <= 10), (planes >= 1) & (planes <= 2))
    sample = [p.constant(16, f"plane{n}") for n in range(2)]
    index, word = Signal(3), Signal(4)
    group, plane = Mux(planes == 2, index >> 1, index), Mux(planes == 2, index[0], 0)
    byte = p.named(8, Mux(plane, sample[1], sample[0]).word_select(group[0], 8), "byte")
    m.d.comb += [dut.start.eq(time == 0), dut.label.eq(label), dut.inputs.eq(inputs),
                 dut.planes.eq(planes), dut.i.p.eq(byte), dut.i.valid.eq(valid & (time != 0)),
                 dut.o.ready.eq(p.free(1, "ready"))]
    m.d.sync += index.eq(index + (dut.i.valid & dut.i.ready))
    out = dut.o.valid & dut.o.ready
    m.d.sync += word.eq(word + out)
    exists = p.named(16, (C(1, 16) << inputs) - 1, "exists")
    for n in range(2):
        shown = (sample[n] & exists & ((n < planes).replicate(16)))
        wide = p.named(32, shown, f"shown{n}")
        p.check(~out | (dut.o.p.planes[n * lanes:(n + 1) * lanes]
                        == wide.word_select(word, lanes)))
    words = p.named(4, (inputs + lanes - 1) // lanes, "words")
    p.check(~out | ((dut.o.p.label == label) & (dut.o.p.last == (word + 1 == words))),
            word <= words)
    p.keeps_contract(dut.o)


def samples(p: Property, module):
    """a payload is refused iff it has no sample or a label is not below the classes; otherwise each
    sample comes with its label, from its own byte
    """
    config, m = small(lanes=8, update_lanes=4, max_inputs=8, input_planes=1, banks=1,
                      residual_depth=32), p.m
    dut = p.unit(module.SampleFeeder(config))
    count, classes, time = p.constant(2, "count"), p.constant(3, "classes"), p.time(63)
    payload = [p.constant(8, f"byte{n}") for n in range(4)]  # labels, samples
    place, other, over = Signal(3), Signal(3), Signal()
    p.assume(count <= 2, (classes >= 1) & (classes <= 4))
    going = p.named(3, place + dut.take, "going")
    with m.If(time == 0):
        m.d.sync += place.eq(0)
    with m.Else():
        m.d.sync += place.eq(Mux(dut.rewind, 0, Mux(dut.swap, other, going)))
        with m.If(dut.mark | dut.swap):
            m.d.sync += other.eq(going)
    m.d.comb += [dut.start.eq(time == 1), dut.count.eq(count), dut.classes.eq(classes),
                 dut.inputs.eq(8), dut.planes.eq(1), dut.byte.eq(Array(payload)[place]),
                 dut.at_end.eq(place == 2 * count), dut.o.ready.eq(p.free(1, "ready"))]
    bad = p.named(1, (count == 0) | ((count >= 1) & (payload[0] >= classes))
                  | ((count >= 2) & (payload[1] >= classes)), "bad")
    out, number = dut.o.valid & dut.o.ready, Signal(2)
    m.d.sync += number.eq(number + out)
    with m.If(dut.done):
        m.d.sync += over.eq(1)
    label = Array(payload)[number]
    data = Array(payload)[(count + number)[:2]]
    p.check(~out | (~bad & (number < count) & (dut.o.p.label == label)
                    & (dut.o.p.planes == data) & dut.o.p.last),
            ~dut.done | over | (dut.fault == bad), ~dut.short, ~over | bad | (number == count),
            ~bad | (time < 12) | over)
