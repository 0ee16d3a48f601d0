"""The trace unit: tells the host what a sample decided, as `firmware.records` describes."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...firmware.records import MODE_BITS, Item, Mode, mask_bytes
from ...hw.parts.arith import select, times
from ...hw.parts.entry import Entry
from ...hw.parts.ports import PACKET_BYTE, LayerRecord
from ...model.config import CoreConfig
from . import QUEUE
from .events import EventQueue, StepEvent

__all__ = ["TraceUnit"]


class TraceUnit(wiring.Component):
    """Turns decisions into the bytes of records.

    Steps of UPD come as they happen and wait in a queue. TELL reads what the other units keep of a
    layer, while nothing else works. A byte a cycle, and a cycle between two items, two scores, and
    two steps of a word of errors. Nothing is dropped: while `o` stalls, the queue fills, then
    `hold` stops the update unit; TELL and TRACE wait until all before them is told.

    Members
    -------
    clear : strobe, while `settled`: no record is open, and the next is number 0.
    switch, mode : strobe, while `settled`: TRACE with its operand.
    tell, layer, record, last : strobe, while `settled` and all units are quiet: TELL, its operand,
        the layer's table row, and whether it is the last.
    telling : it reads the memories of other units; from the cycle after `tell`.
    settled : it does nothing and nothing waits.
    judge, margin : strobe: ERR, with its operand.
    event : what the update unit did in this cycle; of no effect if no trit changed and no counter
        saturated.
    hold : the update unit may begin no step.
    prediction, target, rival, flag, gap : of the sample.
    score_index, score : score to read; one cycle later.
    read_layer : number of the layer that reads the neurons told of; read_count : entries of its
        inputs' list.
    address, enable : entry to read of the list; `entry` one cycle later, held while not enabled.
    gate_address, gates : word of gate bits to read; one cycle later.
    error_address, errors : word of errors to read; one cycle later.
    o : bytes; `last` ends a record.

    A core that only infers has none of `event`, `hold`, `error_address` and `errors`.
    """

    QUEUE = QUEUE

    def __init__(self, config: CoreConfig):
        self.config = config
        classes, words = range(config.max_classes), range(config.hidden_depth)
        super().__init__({
            "clear": In(1),
            "switch": In(1),
            "mode": In(MODE_BITS),
            "tell": In(1),
            "layer": In(range(config.max_layers + 1)),
            "record": In(LayerRecord(config)),
            "last": In(1),
            "telling": Out(1),
            "settled": Out(1),
            "judge": In(1),
            "margin": In(23),
            "prediction": In(classes),
            "target": In(classes),
            "rival": In(classes),
            "flag": In(1),
            "gap": In(signed(config.score_bits + 1)),
            "score_index": Out(classes),
            "score": In(signed(config.score_bits)),
            "read_layer": Out(range(config.max_layers + 1)),
            "read_count": In(range(config.hidden_depth + 1)),
            "address": Out(words),
            "enable": Out(1),
            "entry": In(Entry(config, config.activation_bits, config.max_words)),
            "gate_address": Out(words),
            "gates": In(config.lanes),
            "o": Out(stream.Signature(PACKET_BYTE)),
            **({
                "event": In(StepEvent(config)),
                "hold": Out(1),
                "error_address": Out(range(config.output_words * config.steps)),
                "errors": In(2 * config.update_lanes),
            } if config.trainable else {}),
        })
        self.queue = EventQueue(config, self.QUEUE) if config.trainable else None
        self.open = Signal(MODE_BITS)  # mode of the open record, else 0
        self.records = Signal(32)
        self.kept_margin = Signal(23)
        mask = mask_bytes(config.lanes)
        self.place = Signal(range(max(
            5 + 2 * mask_bytes(config.update_lanes), 13, (1 + config.activation_bits) * mask,
            mask_bytes(2 * config.update_lanes))))
        self.sent = Signal()
        # Of the layer told of: neurons or classes left, word, entries of the list before it.
        self.left = Signal(range(config.max_neurons + 1))
        self.word = Signal(range(config.max_words))
        self.entries = Signal(range(config.hidden_depth + 1))

    def elaborate(self, platform):
        m = Module()
        with m.If(self.judge):
            m.d.sync += self.kept_margin.eq(self.margin)
        with m.If(self.switch):
            m.d.sync += self.open.eq(self.mode)
        with m.If(self.clear):
            m.d.sync += [self.open.eq(0), self.records.eq(0), self.kept_margin.eq(0)]
        m.d.comb += self.sent.eq(self.o.valid & self.o.ready)
        self._address(m)
        if self.queue is not None:
            self._queue_steps(m)

        with m.FSM():
            with m.State("Idle"):
                m.d.comb += self.settled.eq(1)
                if self.queue is not None:
                    m.d.comb += self.settled.eq(self.queue.empty)
                    with m.If(self.queue.o.valid):
                        m.next = "Step"
                with m.If(self.open.any()):
                    with m.If(self.tell):
                        m.d.sync += self.telling.eq(1)
                        m.next = "Layer"
                        with m.If(self.last):
                            m.next = "Decision"
                    with m.If(self.switch):
                        m.next = "End"
            self._tell_layer(m)
            self._tell_decision(m)
            if self.queue is not None:
                self._tell_step(m)
                self._tell_errors(m)
            with m.State("End"):
                with self._send(m, [number(Item.END, 1), number(self.records, 4)], last=True):
                    m.d.sync += self.records.eq(self.records + 1)
                    m.next = "Idle"
        return m

    def _send(self, m, values, last=False):
        """Sends bytes, those of `values` in a row; what to do with the last one of them."""
        data = Cat(values)
        ends = self.place == len(data) // 8 - 1
        m.d.comb += [
            self.o.valid.eq(1),
            self.o.p.data.eq(select(data, self.place, 8)),
            self.o.p.last.eq(last & ends),
        ]
        with m.If(self.sent):
            m.d.sync += self.place.eq(Mux(ends, 0, self.place + 1))
        return m.If(self.sent & ends)

    def _queue_steps(self, m):
        m.submodules.queue = queue = self.queue
        saturated = self.event.saturated & self.open[Mode.SATURATIONS.bit_length() - 1].replicate(
            self.config.update_lanes)
        m.d.comb += [
            self.hold.eq(queue.nearly_full),
            queue.event.eq(self.event),
            queue.event.saturated.eq(saturated),
            queue.write.eq(self.open.any() & (self.event.flips | saturated).any()),
        ]

    def _tell_step(self, m):
        step = self.queue.o.p
        mask = mask_bytes(self.config.update_lanes)
        with m.State("Step"):
            with self._send(m, [
                    number(Mux(step.negative, Item.DOWN, Item.UP), 1), number(step.bank, 1),
                    number(step.step, 1), number(step.address, 2), number(step.flips, mask),
                    number(step.saturated, mask)]):
                m.d.comb += self.queue.o.ready.eq(1)
                m.next = "Idle"

    def _address(self, m):
        """Reads what TELL tells of."""
        config, record = self.config, self.record
        base = Signal.like(record.output_base)
        m.d.comb += [
            self.enable.eq(self.telling),
            self.address.eq(base + self.entries),
            self.gate_address.eq(base + self.word),
        ]
        with m.If(self.tell):
            m.d.sync += [
                self.read_layer.eq(self.layer + 1),
                self.left.eq(record.outputs),
                self.word.eq(0),
                self.entries.eq(0),
                base.eq(record.output_base),
                self.score_index.eq(0),
            ]
            if config.trainable:
                m.d.sync += self.error_address.eq(times(record.output_base, config.steps))

    def _tell_layer(self, m):
        """Gates and activations of a hidden layer."""
        lanes, planes = self.config.lanes, self.entry.planes
        present = Signal()
        with m.State("Layer"):
            with self._send(m, [number(Item.HIDDEN, 1), number(self.read_layer - 1, 1)]):
                m.next = "Word"

        with m.State("Fetch"):
            m.next = "Word"

        with m.State("Word"):
            m.d.comb += present.eq((self.entries != self.read_count)
                                   & (self.entry.index == self.word))
            with self._send(m, [number(word, mask_bytes(lanes)) for word in (
                    self.gates, *(planes[n:n + lanes] & present.replicate(lanes)
                                  for n in range(0, len(planes), lanes)))]):
                m.d.sync += [self.entries.eq(self.entries + present), self.word.eq(self.word + 1)]
                if self.config.trainable:
                    m.next = "Errors"
                else:
                    self._next_word(m)

    def _next_word(self, m):
        m.d.sync += self.left.eq(self.left - self.config.lanes)
        m.next = "Fetch"
        with m.If(self.left <= self.config.lanes):
            m.d.sync += self.telling.eq(0)
            m.next = "Idle"

    def _tell_errors(self, m):
        """Errors of a word of neurons, U at a time."""
        step = Signal(range(self.config.steps))
        with m.State("Errors"):
            errors = self.errors & self.flag.replicate(len(self.errors))
            with self._send(m, [number(errors, mask_bytes(len(errors)))]):
                m.d.sync += [self.error_address.eq(self.error_address + 1), step.eq(step + 1)]
                m.next = "Fetch errors"
                with m.If(step == self.config.steps - 1):
                    m.d.sync += step.eq(0)
                    self._next_word(m)

        with m.State("Fetch errors"):
            m.next = "Errors"

    def _tell_decision(self, m):
        """What the last layer's scores led to, and the scores."""
        with m.State("Decision"):
            with self._send(m, [
                    number(Item.SCORES, 1), *(number(value, 1) for value in (
                        self.prediction, self.target, self.rival, self.flag)),
                    number(self.kept_margin, 4), number(self.gap, 4)]):
                m.next = "Score"

        with m.State("Score"):
            with self._send(m, [number(self.score, 4)]):
                m.d.sync += [self.score_index.eq(self.score_index + 1), self.left.eq(self.left - 1)]
                m.next = "Fetch score"
                with m.If(self.left == 1):
                    m.d.sync += self.telling.eq(0)
                    m.next = "Idle"

        with m.State("Fetch score"):
            m.next = "Score"


def number(value, size: int) -> Value:
    """A number in so many bytes, with its sign if it has one."""
    value = Value.cast(value)
    fill = value[-1] if value.shape().signed else C(0, 1)
    return Cat(value, fill.replicate(8 * size - len(value)))
