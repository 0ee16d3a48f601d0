"""The trace unit: tells the host what a sample decided, as `firmware.records` describes."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from ...firmware.records import MODE_BITS, Item, Mode, mask_bytes
from ...hw.parts.arith import select, times
from ...hw.parts.sockets import Changes, Decision, Dispatch, Peek, Records
from ...model.config import CoreConfig
from ..registry import takes
from . import QUEUE, TRACE
from .events import EventQueue

__all__ = ["TraceUnit"]


class TraceUnit(wiring.Component):
    """Turns decisions into the bytes of records.

    Steps of UPD come as they happen and wait in a queue. TELL reads what the other units keep of a
    layer, while nothing else works. A byte a cycle, and a cycle between two items, two scores, and
    two steps of a word of errors. Nothing is dropped: while `o` stalls, the queue fills, then
    `hold` stops the update unit; TELL and TRACE wait until all before them is told.

    Sockets are dispatch (TRACE, TELL; both wait for all before them, `stall` while the queue is
    nearly full, `lasting` until all is out), changes (not of a core that only infers), decision,
    peek and records; see `hw.parts.sockets`. The first record since the program began is number 0.
    """

    QUEUE = QUEUE

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "dispatch": In(Dispatch(config, TRACE.ops)),
            "decision": In(Decision(config)),
            "peek": In(Peek(config)),
            "records": In(Records()),
            **({"changes": In(Changes(config))} if config.trainable else {}),
        })
        self.o, self.record = self.records.o, self.dispatch.record
        self.masks = takes(config, "masks")
        self.queue = EventQueue(config, self.QUEUE) if config.trainable else None
        self.open = Signal(MODE_BITS)  # mode of the open record, else 0
        self.told = Signal(32)  # records
        self.kept_margin = Signal(23)
        mask = mask_bytes(config.lanes)
        self.place = Signal(range(max(
            5 + 2 * mask_bytes(config.update_lanes), 13, (1 + config.activation_bits) * mask,
            mask_bytes(2 * config.update_lanes))))
        self.sent, self.settled = Signal(), Signal()
        # Of the layer told of: neurons or classes left, word, entries of the list before it.
        self.left = Signal(range(config.max_neurons + 1))
        self.word = Signal(range(config.max_words))
        self.entries = Signal(range(config.hidden_depth + 1))

    def elaborate(self, platform):
        m = Module()
        dispatch = self.dispatch
        m.d.comb += [
            dispatch.waits.eq((~self.settled).replicate(2)),
            dispatch.lasting.eq(~self.settled | self.records.sending),
            dispatch.busy.eq(self.peek.active),
        ]
        with m.If(dispatch.error):
            m.d.sync += self.kept_margin.eq(dispatch.operand)
        with m.If(dispatch.trace):
            m.d.sync += self.open.eq(dispatch.operand)
        with m.If(dispatch.clear):
            m.d.sync += [self.open.eq(0), self.told.eq(0), self.kept_margin.eq(0)]
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
                    with m.If(dispatch.tell):
                        m.d.sync += self.peek.active.eq(1)
                        m.next = "Layer"
                        with m.If(dispatch.last):
                            m.next = "Decision"
                    with m.If(dispatch.trace):
                        m.next = "End"
            self._tell_layer(m)
            self._tell_decision(m)
            if self.queue is not None:
                self._tell_step(m)
                self._tell_errors(m)
            with m.State("End"):
                with self._send(m, [number(Item.END, 1), number(self.told, 4)], last=True):
                    m.d.sync += self.told.eq(self.told + 1)
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
        changes, event = self.changes, queue.event
        saturated = changes.saturated & self.open[Mode.SATURATIONS.bit_length() - 1].replicate(
            self.config.update_lanes)
        m.d.comb += [
            self.dispatch.stall.eq(queue.nearly_full),
            event.negative.eq(changes.row.negative),
            event.bank.eq(changes.row.bank),
            event.address.eq(changes.address),
            event.step.eq(changes.part),
            event.flips.eq(changes.flips),
            event.saturated.eq(saturated),
            queue.write.eq(self.open.any() & (changes.flips | saturated).any()),
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
        config, record, peek = self.config, self.record, self.peek
        base = Signal.like(record.output_base)
        m.d.comb += [
            peek.enable.eq(peek.active),
            # A list's entries are those of its words, or lie at their places.
            peek.address.eq(base + (self.word if self.masks else self.entries)),
            peek.gate_address.eq(base + self.word),
        ]
        with m.If(self.dispatch.tell):
            m.d.sync += [
                peek.layer.eq(self.dispatch.operand + 1),
                self.left.eq(record.outputs),
                self.word.eq(0),
                self.entries.eq(0),
                base.eq(record.output_base),
                self.peek.score_index.eq(0),
            ]
            if config.trainable:
                m.d.sync += self.peek.error_address.eq(times(record.output_base, config.steps))

    def _tell_layer(self, m):
        """Gates and activations of a hidden layer."""
        lanes, peek = self.config.lanes, self.peek
        planes = peek.entry.planes
        present = Signal()
        with m.State("Layer"):
            with self._send(m, [number(Item.HIDDEN, 1), number(peek.layer - 1, 1)]):
                m.next = "Word"

        with m.State("Fetch"):
            m.next = "Word"

        with m.State("Word"):
            if self.masks:
                m.d.comb += present.eq(select(peek.mask, self.word, 1))
            else:
                m.d.comb += present.eq((self.entries != peek.count)
                                       & (peek.entry.index == self.word))
            with self._send(m, [number(word, mask_bytes(lanes)) for word in (
                    peek.gates, *(planes[n:n + lanes] & present.replicate(lanes)
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
            m.d.sync += self.peek.active.eq(0)
            m.next = "Idle"

    def _tell_errors(self, m):
        """Errors of a word of neurons, U at a time."""
        step = Signal(range(self.config.steps))
        with m.State("Errors"):
            errors = self.peek.errors
            errors = errors & self.decision.flag.replicate(len(errors))
            with self._send(m, [number(errors, mask_bytes(len(errors)))]):
                m.d.sync += [step.eq(step + 1),
                             self.peek.error_address.eq(self.peek.error_address + 1)]
                m.next = "Fetch errors"
                with m.If(step == self.config.steps - 1):
                    m.d.sync += step.eq(0)
                    self._next_word(m)

        with m.State("Fetch errors"):
            m.next = "Errors"

    def _tell_decision(self, m):
        """What the last layer's scores led to, and the scores."""
        found = self.decision
        with m.State("Decision"):
            with self._send(m, [
                    number(Item.SCORES, 1), *(number(value, 1) for value in (
                        found.prediction, found.target, found.rival, found.flag)),
                    number(self.kept_margin, 4), number(found.gap, 4)]):
                m.next = "Score"

        with m.State("Score"):
            with self._send(m, [number(self.peek.score, 4)]):
                m.d.sync += [self.left.eq(self.left - 1),
                             self.peek.score_index.eq(self.peek.score_index + 1)]
                m.next = "Fetch score"
                with m.If(self.left == 1):
                    m.d.sync += self.peek.active.eq(0)
                    m.next = "Idle"

        with m.State("Fetch score"):
            m.next = "Score"


def number(value, size: int) -> Value:
    """A number in so many bytes, with its sign if it has one."""
    value = Value.cast(value)
    fill = value[-1] if value.shape().signed else C(0, 1)
    return Cat(value, fill.replicate(8 * size - len(value)))
