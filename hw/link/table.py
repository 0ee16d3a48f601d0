"""Checks a layer table and works out where its layers lie."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...firmware.frames import LAYER_ROW
from ...model.config import MAX_SKIP, CoreConfig, ceil_div
from ..parts.arith import exceeds, times
from ..parts.ports import LayerRecord

__all__ = ["TableLoader"]


class TableLoader(wiring.Component):
    """Reads the rows of a table twice: checks all, then, if no check failed, writes all.

    It finds the same faults and the same places as `model.layout`. Products and quotients are
    counted out: a row takes 12 cycles, one for each of its inputs and one for each of its outputs.

    Members
    -------
    start : strobe: begin with
    rows : rows of the table, at least 1.
    rewind : strobe: `byte` is the table's first in the next cycle.
    byte : of the table, `firmware.frames.LAYER_ROW` a row.
    take : `byte` has been used; the next one is there in the next cycle.
    done, fault : strobe, and whether the table was refused.
    write, index, record : write port of the layer table.
    layers : rows of the table in force.
    inputs, planes : of its first layer.
    classes : outputs of its last layer.
    item_bytes : of a sample and its label on the link: ``1 + planes * ceil(inputs / 8)``.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "start": In(1),
            "rows": In(range(config.slot_bytes // 8)),
            "rewind": Out(1),
            "byte": In(8),
            "take": Out(1),
            "done": Out(1),
            "fault": Out(1),
            "write": Out(1),
            "index": Out(range(config.max_layers)),
            "record": Out(LayerRecord(config)),
            "layers": Out(range(config.max_layers + 1)),
            "inputs": Out(range(config.max_inputs + 1)),
            "planes": Out(range(config.input_planes + 1)),
            "classes": Out(range(config.max_classes + 1)),
            "item_bytes": Out(range(2 + config.input_planes * ceil_div(config.max_inputs, 8))),
        })
        self.fields = [name for name, code in LAYER_ROW for _ in range(2 if code == "H" else 1)]

    def elaborate(self, platform):
        m = Module()
        config, record = self.config, self.record
        #: Those that units need are made only where they are.
        fields = record.shape().members
        row = Signal.like(self.index)
        place = Signal(range(len(self.fields)))
        first, last, second_pass = Signal(), Signal(), Signal()
        left = Signal(range(config.max_fan_in + 1))  # inputs or outputs not counted yet
        outputs = Signal.like(record.outputs)
        words = Signal.like(record.words)
        shift, gain = Signal.like(record.shift), Signal.like(record.gain)
        skip = Signal(range(MAX_SKIP + 2))
        trits = Signal(range(config.trit_depth + config.max_words + 1))
        residuals = Signal(range(config.residual_depth + config.max_words * config.steps + 1))
        too_many = Signal()  # words of T or R
        source = Signal(range(config.hidden_depth + 1))
        target = Signal(range(config.hidden_depth + ceil_div(config.max_neurons, config.lanes) + 1))
        lane, bank = Signal(range(config.lanes)), Signal(range(config.banks))
        groups = Signal(range(config.support_depth + 1))
        m.d.comb += [
            first.eq(row == 0),
            last.eq(row + 1 == self.rows),
            self.index.eq(row),
            record.words.eq(words),
            record.outputs.eq(outputs),
            record.trit_base.eq(trits),
            record.residual_base.eq(residuals),
            record.input_base.eq(source),
            record.output_base.eq(target),
            record.shift.eq(shift),
            record.gain.eq(gain),
            *([record.rest.eq(lane)] if "rest" in fields else []),
            too_many.eq(exceeds(trits, config.trit_depth)
                        | (config.trainable & exceeds(residuals, config.residual_depth))),
        ]
        if "group_base" in fields:
            m.d.comb += record.group_base.eq(groups)
        if "skip" in fields:
            m.d.comb += record.skip.eq(skip)
        if config.banks == 1:
            m.d.comb += residuals.eq(times(trits, config.steps))

        def refuse_if(condition):
            with m.If(condition):
                m.d.sync += self.fault.eq(1)

        def begin_pass():
            m.d.comb += self.rewind.eq(1)
            m.d.sync += [
                row.eq(0), trits.eq(0), source.eq(0), target.eq(0),
            ]
            if config.banks > 1:
                m.d.sync += residuals.eq(0)
            if "group_base" in fields:
                m.d.sync += groups.eq(0)
            m.next = "READ"

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [second_pass.eq(0), self.fault.eq(self.rows > config.max_layers)]
                with m.If(self.start):
                    begin_pass()

            with m.State("READ"):
                m.d.comb += self.take.eq(1)
                m.d.sync += place.eq(place + 1)
                with m.Switch(place):
                    for n, name in enumerate(self.fields):
                        with m.Case(n):
                            self._read(m, n, name, first, left, outputs, shift, gain, skip,
                                       refuse_if, second_pass)
                with m.If(place == len(self.fields) - 1):
                    m.next = "CHECK"

            with m.State("CHECK"):
                refuse_if(first & ((left == 0) | (left > config.max_inputs)))
                refuse_if((outputs == 0) | (last & (outputs == 1)))
                refuse_if(Mux(last, exceeds(outputs, config.max_classes),
                              exceeds(outputs, config.max_neurons)))
                refuse_if(exceeds(target, config.hidden_depth))
                refuse_if((skip != 0) & (first | last | (left != outputs)))
                m.next = "JUDGE"

            with m.State("JUDGE"):
                m.d.sync += [words.eq(0), lane.eq(0)]
                if "size" in fields:
                    fewer = (left - 1)[:len(left)]
                    m.d.sync += record.size.eq(0)
                    for n in range(len(left)):
                        with m.If(fewer[n]):
                            m.d.sync += record.size.eq(n + 1)
                with m.If(first & second_pass & ~self.fault):
                    m.d.sync += [self.inputs.eq(left), self.item_bytes.eq(1)]
                with m.If(self.fault):
                    m.d.comb += self.done.eq(1)
                    m.next = "IDLE"
                with m.Else():
                    m.next = "INPUTS"

            with m.State("INPUTS"):
                m.d.sync += [
                    left.eq(left - 1),
                    words.eq(words + (lane == 0)),
                    lane.eq(Mux(lane == config.lanes - 1, 0, lane + 1)),
                ]
                # One of eight inputs begins a byte: 1, 9, 17 ... are left at as many as there are.
                with m.If(first & second_pass & (left[:3] == 1)):
                    m.d.sync += self.item_bytes.eq(self.item_bytes + self.planes)
                with m.If(left == 1):
                    m.next = "WRITE"

            with m.State("WRITE"):
                m.d.comb += self.write.eq(second_pass)
                m.d.sync += [left.eq(outputs), lane.eq(0), bank.eq(0), source.eq(target)]
                m.next = "OUTPUTS"

            with m.State("OUTPUTS"):
                m.d.sync += [
                    left.eq(left - 1),
                    target.eq(target + (lane == 0)),
                    lane.eq(Mux(lane == config.lanes - 1, 0, lane + 1)),
                    bank.eq(Mux(bank == config.banks - 1, 0, bank + 1)),
                ]
                if config.banks > 1:
                    m.d.sync += residuals.eq(residuals + times(words, config.steps))
                with m.If(bank == 0):
                    m.d.sync += trits.eq(trits + words)
                    if "group_base" in fields:
                        m.d.sync += groups.eq(groups + 1)
                refuse_if(too_many)
                with m.If(left == 1):
                    m.next = "NEXT"

            with m.State("NEXT"):
                refuse_if(too_many)
                m.d.sync += row.eq(row + 1)
                m.next = "READ"
                with m.If(last):
                    m.next = "END"

            with m.State("END"):
                with m.If(~self.fault & ~second_pass):
                    m.d.sync += second_pass.eq(1)
                    begin_pass()
                with m.Else():
                    m.d.comb += self.done.eq(1)
                    with m.If(~self.fault):
                        m.d.sync += [self.layers.eq(self.rows), self.classes.eq(outputs)]
                    m.next = "IDLE"
        return m

    def _read(self, m, place, name, first, left, outputs, shift, gain, skip, refuse_if,
              second_pass):
        """What the byte at a place of a row goes to, and what is wrong with it alone."""
        config, byte = self.config, self.byte
        bits = slice(8 * (place % 2), 8 * (place % 2) + 8)
        if name == "inputs":
            m.d.sync += left[bits].eq(byte)
            refuse_if(byte[len(left[bits]):].any() | (~first & (byte != outputs[bits])))
        elif name == "outputs":
            m.d.sync += outputs[bits].eq(byte)
            refuse_if(byte[len(outputs[bits]):].any())
        elif name == "planes":
            refuse_if(Mux(first, (byte == 0) | (byte > config.input_planes),
                          byte != config.activation_bits))
            # The second pass comes only if the first has found no fault.
            with m.If(first & second_pass):
                m.d.sync += self.planes.eq(byte)
        elif name == "shift":
            m.d.sync += shift.eq(byte)
            refuse_if(byte > 31)
        elif name == "gain":
            m.d.sync += gain.eq(byte)
            refuse_if((byte.as_signed() < -15) | (byte.as_signed() > config.counter_bits - 2))
        elif name in self.record.shape().members:
            m.d.sync += skip.eq(byte)
            refuse_if(byte > MAX_SKIP + 1)
        else:
            refuse_if(byte != 0)
