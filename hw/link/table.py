"""Checks a layer table and works out where its layers lie."""

from contextlib import nullcontext
from types import SimpleNamespace

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...model.config import MAX_SKIP, CoreConfig, ceil_div
from ...model.front import most_bits
from ...units.registry import LAYER_ROW, takes
from ..parts.arith import exceeds, times
from ..parts.ports import LayerRecord
from .front import FrontRow
from .image_row import ImageRow

__all__ = ["TableLoader"]


class TableLoader(wiring.Component):
    """Reads the rows of a table twice: checks all, then, if no check failed, writes all.

    It finds the same faults and the same places as `model.layout`. Products and quotients are
    counted out: a row takes 12 cycles, 13 of a `pipelined` core, one for each of its inputs and one
    for each of its outputs.

    Members
    -------
    start : strobe: begin with
    rows : rows of the table, at least 1.
    rewind : strobe: `byte` is the table's first in the next cycle.
    byte : of the table, `units.registry.LAYER_ROW` a row.
    take : `byte` has been used; the next one is there in the next cycle.
    done, fault : strobe, and whether the table was refused.
    write, index, record : write port of the layer table.
    layers : rows of the table in force, but for one in front of them.
    inputs, planes : of its first row.
    classes : outputs of its last layer.
    item_bytes : of a sample and its label on the link: ``1 + planes * ceil(inputs / 8)``.
    image_rows, image_columns : of a core that shifts images: those of a store, 0 if it has none.
    record_inputs, record_bytes : of such a core without a convolution: as `inputs` and
        `item_bytes`, of a record.
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
            "index": Out(range(config.table_rows)),
            "record": Out(LayerRecord(config)),
            "layers": Out(range(config.max_layers + 1)),
            "inputs": Out(range(config.max_inputs + 1)),
            "planes": Out(range(config.input_planes + 1)),
            "classes": Out(range(config.max_classes + 1)),
            "item_bytes": Out(range(2 + config.input_planes * ceil_div(config.max_inputs, 8))),
            **({"image_rows": Out(range(config.store_rows + 1)),
                "image_columns": Out(range(config.store_columns + 1))}
               if config.store_shift else {}),
            **({"record_inputs": Out(range(config.max_stored_inputs + 1)),
                "record_bytes": Out(range(2 + config.input_planes * ceil_div(
                    config.max_stored_inputs, 8)))} if config.lays_images else {}),
        })
        self.front = FrontRow(config) if takes(config, "front") else None
        self.image = ImageRow(config) if config.lays_images else None
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
        outputs = Signal.like(record.outputs if self.front is None else left)
        words = Signal.like(record.words)
        shift, gain = Signal.like(record.shift), Signal.like(record.gain)
        skip = Signal(range(MAX_SKIP + 2))
        trits = Signal(range(config.trit_depth + config.max_words + 1))
        more = config.max_words * config.steps * config.update_rows
        residuals = Signal(range(config.residual_depth + more + 1))
        too_many = Signal()  # words of T or R
        source = Signal(range(config.hidden_depth + 1))
        most = config.max_neurons if self.front is None else config.max_fan_in
        target = Signal(range(config.hidden_depth + ceil_div(most, config.lanes) + 1))
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

        at = SimpleNamespace(
            row=row, place=place, first=first, last=last, second_pass=second_pass, left=left,
            outputs=outputs, words=words, shift=shift, gain=gain, skip=skip, trits=trits,
            residuals=residuals, too_many=too_many, source=source, target=target, lane=lane,
            bank=bank, groups=groups, fields=fields, byte=self.byte)
        if config.pipelined:
            self._read_later(m, at)
        with m.FSM():
            with m.State("IDLE"):
                wrong = self.rows > config.table_rows
                if self.front is not None:
                    wrong |= self.rows < 2
                m.d.sync += [at.second_pass.eq(0), self.fault.eq(wrong)]
                with m.If(self.start):
                    self._begin_pass(m, at)
            self._read_row(m, at)
            if self.front is not None:
                self._look_at_front(m, at)
            if self.image is not None:
                self._look_at_image(m, at)
            self._check(m, at)
            self._count(m, at)
            self._end(m, at)
        return m

    def _refuse_if(self, m, condition):
        with m.If(condition):
            m.d.sync += self.fault.eq(1)

    def _begin_pass(self, m, at):
        config = self.config
        m.d.comb += self.rewind.eq(1)
        m.d.sync += [
            at.row.eq(0), at.trits.eq(0), at.source.eq(0), at.target.eq(0),
        ]
        if config.banks > 1:
            m.d.sync += at.residuals.eq(0)
        if "group_base" in at.fields:
            m.d.sync += at.groups.eq(0)
        m.next = "READ"

    def _read_row(self, m, at):
        """A row's bytes."""
        with m.State("READ"):
            m.d.comb += self.take.eq(1)
            m.d.sync += at.place.eq(at.place + 1)
            if self.config.pipelined:
                m.d.sync += at.read.eq(1)
            else:
                self._read_at(m, at.place, at)
            with m.If(at.place == len(self.fields) - 1):
                m.next = "READ_LAST" if self.config.pipelined else "CHECK"
        if self.config.pipelined:
            with m.State("READ_LAST"):
                m.next = "CHECK"

    def _read_later(self, m, at):
        """Looks at a byte in the cycle after: the way from the receiver's memory is long enough."""
        at.byte, at.read, place = Signal(8), Signal(), Signal.like(at.place)
        m.d.sync += [at.byte.eq(self.byte), place.eq(at.place), at.read.eq(0)]
        with m.If(at.read):
            self._read_at(m, place, at)

    def _read_at(self, m, place, at):
        with m.Switch(place):
            for n, name in enumerate(self.fields):
                with m.Case(n):
                    self._read(m, n, name, at)

    def _check(self, m, at):
        """What is wrong with a row as a whole."""
        config, record = self.config, self.record
        with m.State("CHECK"):
            self._refuse_if(m, at.first & ((at.left == 0) | (at.left > config.max_inputs)))
            self._refuse_if(m, (at.outputs == 0) | (at.last & (at.outputs == 1)))
            too_many = Mux(at.last, exceeds(at.outputs, config.max_classes),
                           exceeds(at.outputs, config.max_neurons))
            if self.front is not None:
                too_many = Mux(at.first, exceeds(at.outputs, config.max_inputs), too_many)
            self._refuse_if(m, too_many)
            self._refuse_if(m, exceeds(at.target, config.hidden_depth))
            self._refuse_if(m, (at.skip != 0) & (at.first | at.last | (at.left != at.outputs)))
            m.next = "JUDGE"

        with m.State("JUDGE"):
            m.d.sync += [at.words.eq(0), at.lane.eq(0)]
            if "size" in at.fields:
                fewer = (at.left - 1)[:len(at.left)]
                m.d.sync += record.size.eq(0)
                for n in range(len(at.left)):
                    with m.If(fewer[n]):
                        m.d.sync += record.size.eq(n + 1)
            with m.If(at.first & at.second_pass & ~self.fault):
                m.d.sync += [self.inputs.eq(at.left), self.item_bytes.eq(1)]
            with m.If(self.fault):
                m.d.comb += self.done.eq(1)
                m.next = "IDLE"
            with m.Else():
                m.next = "INPUTS"
                if self.image is not None:
                    m.d.comb += self.image.start.eq(at.first)

    def _count(self, m, at):
        """Counts inputs and outputs out: words, places in the memories, and the next row's."""
        config = self.config
        with m.State("INPUTS"):
            m.d.sync += [
                at.left.eq(at.left - 1),
                at.words.eq(at.words + (at.lane == 0)),
                at.lane.eq(Mux(at.lane == config.lanes - 1, 0, at.lane + 1)),
            ]
            # One of eight inputs begins a byte: 1, 9, 17 ... are left at as many as there are.
            with m.If(at.first & at.second_pass & (at.left[:3] == 1)):
                m.d.sync += self.item_bytes.eq(self.item_bytes + self.planes)
            with m.If(at.left == 1):
                m.next = "WRITE"
                if self.front is not None:
                    with m.If(at.first):
                        m.next = "FRONT"
                if self.image is not None:
                    with m.If(at.first):
                        m.next = "IMAGE"

        with m.State("WRITE"):
            m.d.comb += self.write.eq(at.second_pass)
            m.d.sync += [at.left.eq(at.outputs), at.lane.eq(0), at.bank.eq(0),
                         at.source.eq(at.target)]
            m.next = "OUTPUTS"

        with m.State("OUTPUTS"):
            m.d.sync += [
                at.left.eq(at.left - 1),
                at.target.eq(at.target + (at.lane == 0)),
                at.lane.eq(Mux(at.lane == config.lanes - 1, 0, at.lane + 1)),
                at.bank.eq(Mux(at.bank == config.banks - 1, 0, at.bank + 1)),
            ]
            # A layer in front has no words in T and R.
            words = at.words if self.front is None else Mux(at.first, 0, at.words)
            if config.banks > 1:
                # Rows that are updated at once have words by turns, as many as if all were there.
                parts = config.update_rows
                with m.If(at.bank[:parts.bit_length() - 1] == 0) if parts > 1 else nullcontext():
                    m.d.sync += at.residuals.eq(
                        at.residuals + times(words, config.steps * parts))
            with m.If(at.bank == 0):
                m.d.sync += at.trits.eq(at.trits + words)
                if "group_base" in at.fields:
                    m.d.sync += at.groups.eq(at.groups + 1)
            self._refuse_if(m, at.too_many)
            with m.If(at.left == 1):
                m.next = "NEXT"

        with m.State("NEXT"):
            self._refuse_if(m, at.too_many)
            m.d.sync += at.row.eq(at.row + 1)
            m.next = "READ"
            with m.If(at.last):
                m.next = "END"

    def _end(self, m, at):
        """Of a pass."""
        with m.State("END"):
            with m.If(~self.fault & ~at.second_pass):
                m.d.sync += at.second_pass.eq(1)
                self._begin_pass(m, at)
            with m.Else():
                m.d.comb += self.done.eq(1)
                with m.If(~self.fault):
                    layers = self.rows if self.front is None else self.rows - 1
                    m.d.sync += [self.layers.eq(layers), self.classes.eq(at.outputs)]
                m.next = "IDLE"

    def _look_at_front(self, m, at):
        """Its windows and groups; each byte of it is checked in `_read`."""
        m.submodules.front = front = self.front
        m.d.comb += [
            front.rows.eq(at.words),
            front.outputs.eq(at.outputs),
            *(self.record[name].eq(getattr(front, name)) for name in (
                "window_rows", "window_columns", "kernel_groups")),
        ]
        with m.State("FRONT"):
            m.d.comb += front.start.eq(1)
            m.next = "COUNT"
        with m.State("COUNT"):
            with m.If(front.done):
                self._refuse_if(m, front.fault)
                if self.config.store_shift:
                    with m.If(at.second_pass):
                        m.d.sync += [self.image_rows.eq(at.words),
                                     self.image_columns.eq(front.columns)]
                m.next = "WRITE"

    def _look_at_image(self, m, at):
        """Rows and records of images; begun when the row is known, done before it is written."""
        m.submodules.image = image = self.image
        m.d.comb += image.inputs.eq(at.left)
        with m.State("IMAGE"):
            with m.If(image.idle):
                self._refuse_if(m, image.fault)
                with m.If(at.second_pass):
                    m.d.sync += [
                        self.image_rows.eq(image.rows), self.image_columns.eq(image.columns),
                        self.record_inputs.eq(image.record_inputs),
                        self.record_bytes.eq(image.record_bytes)]
                m.next = "WRITE"

    def _read_front(self, m, name, at):
        """What is wrong with a byte of the row in front, or of the first one behind it."""
        config, byte = self.config, at.byte
        second, (most, bits) = at.row == 1, most_bits(config)
        if name == "planes":
            self._refuse_if(m, Mux(at.first, (byte == 0) | (byte > most), Mux(
                second, byte != bits, byte != config.activation_bits)))
            with m.If(at.first & at.second_pass):
                m.d.sync += self.planes.eq(byte)
        elif name == "shift":
            self._refuse_if(m, at.first & (byte > 15))
        elif name == "gain":
            self._refuse_if(m, at.first & (byte.as_signed() > 0))
        elif name == "skip":
            with m.If(at.first):
                m.d.sync += self.front.columns.eq(byte)
            self._refuse_if(m, ~at.first & (byte != 0))

    def _read(self, m, place, name, at):
        """What the byte at a place of a row goes to, and what is wrong with it alone."""
        config, byte = self.config, at.byte
        if self.front is not None:
            self._read_front(m, name, at)
            if name in ("planes", "skip"):
                return
        bits = slice(8 * (place % 2), 8 * (place % 2) + 8)
        if name == "inputs":
            m.d.sync += at.left[bits].eq(byte)
            self._refuse_if(m, byte[len(at.left[bits]):].any()
                            | (~at.first & (byte != at.outputs[bits])))
        elif name == "outputs":
            m.d.sync += at.outputs[bits].eq(byte)
            self._refuse_if(m, byte[len(at.outputs[bits]):].any())
        elif name == "planes":
            self._refuse_if(m, Mux(at.first, (byte == 0) | (byte > config.input_planes),
                                    byte != config.activation_bits))
            if self.image is not None:
                with m.If(at.first):
                    m.d.sync += self.image.planes.eq(byte)
            # The second pass comes only if the first has found no fault.
            with m.If(at.first & at.second_pass):
                m.d.sync += self.planes.eq(byte)
        elif name == "shift":
            m.d.sync += at.shift.eq(byte)
            self._refuse_if(m, byte > 31)
        elif name == "gain":
            m.d.sync += at.gain.eq(byte)
            self._refuse_if(m, (byte.as_signed() < -15)
                            | (byte.as_signed() > config.counter_bits - 2))
        elif self.image is not None:
            with m.If(at.first):
                m.d.sync += self.image.columns.eq(byte)
            self._refuse_if(m, ~at.first & (byte != 0))
        elif name in self.record.shape().members:
            m.d.sync += at.skip.eq(byte)
            self._refuse_if(m, byte > MAX_SKIP + 1)
        else:
            self._refuse_if(m, byte != 0)
