"""Training from losses: resident samples, the direction on T's way to the array, steps along it."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from ...firmware.isa import Op
from ...hw.parts.arith import times
from ...hw.parts.pipeline import delayed, words_delay
from ...hw.parts.sockets import Decision, Dispatch, PrngPort, RowWords, StepSource, WordFilter
from ...model.config import CoreConfig
from . import PERTURB
from .batch import BatchBuffer
from .direction import DirectionFold, PlaceWords, perturbed
from .loss import LossUnit

__all__ = ["Perturb"]


class Perturb(wiring.Component):
    """Joins the batch, the loss unit, and the direction in forward pass and update.

    Sockets are dispatch (PROBE, LOSS, STEP; LOSS waits for room in the statistics), words, rows,
    along, decision, prng and, as a part of the engine, inputs; see `hw.parts.sockets`.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "dispatch": In(Dispatch(config, PERTURB.ops)),
            "words": In(WordFilter(config)),
            "rows": In(RowWords(config)),
            "along": In(StepSource(config)),
            "decision": In(Decision(config)),
            "prng": In(PrngPort()),
        })
        self.inputs = BatchBuffer(config)
        self.loss = LossUnit(config)
        self.places = PlaceWords(config)
        self.folds = [DirectionFold(config) for _ in range(config.banks)]
        self.update_fold = DirectionFold(config)

    def elaborate(self, platform):
        m = Module()
        m.submodules.loss = self.loss
        m.submodules.places = self.places
        m.submodules.update_fold = self.update_fold
        for n, fold in enumerate(self.folds):
            m.submodules[f"fold{n}"] = fold
        self._connect_loss(m)
        self._connect_places(m)
        word, row, base = self._walk(m)
        self._fold(m, word, row, base)
        self._filter(m)
        return m

    def _connect_loss(self, m):
        dispatch, decision, loss, inputs = self.dispatch, self.decision, self.loss, self.inputs
        m.d.comb += [
            dispatch.waits.eq(Cat(~decision.room & (op is Op.LOSS) for op in PERTURB.ops)),
            dispatch.busy.eq(loss.busy | self.places.busy),
            loss.probe.eq(dispatch.probe),
            loss.loss.eq(dispatch.loss),
            loss.margin.eq(dispatch.operand),
            loss.gap.eq(decision.gap),
            loss.kept.eq(inputs.kept),
            loss.clear.eq(dispatch.clear),
            inputs.select.eq(loss.select),
            inputs.position.eq(loss.position),
            decision.judges.eq(dispatch.loss),
            decision.settle.eq(loss.settle),
            decision.settled.eq(loss.settled),
        ]
        with m.If(dispatch.step):
            m.d.sync += loss.gain.eq(dispatch.record.gain)

    def _connect_places(self, m):
        dispatch, places, prng = self.dispatch, self.places, self.prng
        m.d.comb += [
            places.start.eq(dispatch.probe),
            places.operand.eq(dispatch.operand),
            places.state.eq(prng.state),
            places.record.eq(dispatch.record),
            places.layers.eq(dispatch.layers),
            dispatch.looks.eq(places.walking),
            dispatch.layer.eq(places.layer),
            prng.load.eq(places.done),
            prng.following.eq(places.following),
        ]

    def _walk(self, m):
        """An update along the direction goes through all rows and all words.

        The word and row that it is at, and the first chunk's place of the layer in hand.
        """
        dispatch, source, record = self.dispatch, self.along, self.dispatch.record
        rest, words = Signal.like(record.rest), Signal.like(record.words)
        row, word = Signal.like(self.places.row_address), Signal.like(source.index)
        base, last_read = Signal.like(self.places.chunk_address), Signal()
        with m.If(dispatch.forward | dispatch.update | dispatch.backward):
            m.d.sync += source.along.eq(0)
        with m.If(dispatch.forward | dispatch.step):
            m.d.sync += base.eq(Mux(dispatch.operand == 1, self.config.hidden_depth,
                                    record.input_base))
        with m.If(source.along):
            m.d.sync += row.eq(row + source.row_take)
            with m.If(source.entry_take):
                m.d.sync += word.eq(Mux(source.last, 0, word + 1))
        with m.If(dispatch.step):
            m.d.sync += [
                source.along.eq(1), rest.eq(record.rest), words.eq(record.words), word.eq(0),
                row.eq(times(record.output_base, self.config.lanes)),
            ]
        m.d.sync += last_read.eq(source.last)
        used = Cat(~last_read | (rest == 0) | (rest > n) for n in range(self.config.lanes))
        down = self.loss.down.replicate(self.config.lanes)
        m.d.comb += [
            source.start.eq(dispatch.step),
            source.index.eq(word),
            source.last.eq(word + 1 == words),
            source.nonzero.eq(self.update_fold.nonzero & used),
            source.negative.eq(self.update_fold.negative ^ down),
            source.magnitude.eq(self.loss.step),
        ]
        return word, row, base

    def _fold(self, m, word, row, base):
        """Words of rows and chunks, and directions folded from them, beside the words of T."""
        places, along, rows = self.places, self.along.along, self.rows
        index = Mux(along, word, rows.index)
        offset = Signal.like(self.update_fold.offset)
        m.d.sync += offset.eq(index)
        m.d.comb += [
            rows.wanted.eq(self.loss.perturbed),
            places.chunk_address.eq(base + index),
            places.row_address.eq(Mux(along, row, rows.address)),
        ]
        kept = [Signal(32, name=f"row{n}") for n in range(self.config.banks)]
        with m.If(rows.shift):
            m.d.sync += [register.eq(following) for register, following in zip(
                kept, [*kept[1:], places.row], strict=True)]
        for fold, value in zip([*self.folds, self.update_fold], [*kept, places.row], strict=True):
            m.d.comb += [
                fold.row.eq(value),
                fold.chunks.eq(places.chunks),
                fold.offset.eq(offset),
                fold.sparsity.eq(places.sparsity),
            ]

    def _filter(self, m):
        """The direction added to the words of T, or subtracted, for the array."""
        loss, lanes = self.loss, self.config.lanes
        for n, fold in enumerate(self.folds):
            word = self.words.words[n]
            trits = Signal(2 * lanes, name=f"perturbed{n}", reset_less=True)
            signs = fold.negative ^ loss.negative.replicate(lanes)
            probing, nonzero, negative = (
                delayed(m, value, words_delay(self.config, n), f"{name}{n}")[-1]
                for name, value in (("probing", loss.perturbed), ("nonzero", fold.nonzero),
                                    ("negative", signs)))
            m.d.sync += trits.eq(Mux(probing, perturbed(word, nonzero, negative), word))
            m.d.comb += self.words.o_words[n].eq(trits)
