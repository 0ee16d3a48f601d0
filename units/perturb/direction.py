"""Directions of trits, made again wherever they are needed, as `model.discrete.direction` says.

With sparsity 0 a direction is 1 at one weight, where `model.discrete.walk` is, and 0 elsewhere.
"""

from types import SimpleNamespace

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...hw.memory.block_ram import BlockRam
from ...hw.parts.arith import select, times
from ...hw.parts.ports import LayerRecord
from ...hw.parts.splitmix import SplitMix64
from ...model.config import CoreConfig
from ...model.discrete.direction import CHUNK, MAX_SPARSITY, ROUNDS
from ...model.discrete.walk import FIRST

__all__ = ["DirectionFold", "PlaceWords", "perturbed"]

#: A place, as `model.discrete.walk` numbers them.
PLACE = data.StructLayout({"column": 16, "row": 16, "layer": 32})


def perturbed(trits: Value, nonzero: Value, negative: Value) -> Value:
    """Codes of L trits (01 is 1, 10 is -1) plus those of a direction, clipped; two LUT4 a trit."""
    lanes = []
    for n in range(len(nonzero)):
        low, high = trits[2 * n], trits[2 * n + 1]
        is_one, is_minus_one = low & ~high, high & ~low
        up, down = nonzero[n] & ~negative[n], nonzero[n] & negative[n]
        lanes += [(up & ~is_minus_one) | (~nonzero[n] & is_one),
                  (down & ~is_one) | (~nonzero[n] & is_minus_one)]
    return Cat(lanes)


class DirectionFold(wiring.Component):
    """The direction of a row's L weights from the words of the row and of its chunks.

    Combinational: fourteen LUT4 a lane for the planes, and four more.

    Members
    -------
    row, chunks : words of the row and of the chunks that the L inputs belong to.
    offset : with less lanes than a chunk has inputs, which of its parts they are.
    sparsity : 0 to 6. With 0, bit 0 of the row's word and the low half of a chunk's say where the
        trit is 1.
    nonzero, negative : of each lane, whether the trit is not 0, and whether it is -1 then.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        super().__init__({
            "row": In(32),
            "chunks": In(32 * config.chunks),
            "offset": In(range(max(1, CHUNK // config.lanes))),
            "sparsity": In(range(MAX_SPARSITY + 1)),
            "nonzero": Out(config.lanes),
            "negative": Out(config.lanes),
        })

    def elaborate(self, platform):
        m = Module()
        lanes = self.config.lanes
        signs, masks = [], []
        one = self.sparsity == 0
        for first in range(0, len(self.chunks), 32):
            chunk = self.chunks[first:first + 32]
            signs.append(self._fold(chunk, 0) & (~one).replicate(CHUNK))
            mask = (chunk[:CHUNK] & self.row[0].replicate(CHUNK)) | (~one).replicate(CHUNK)
            for plane in range(1, MAX_SPARSITY + 1):
                unused = (self.sparsity < plane).replicate(CHUNK)
                mask &= self._fold(chunk, plane) | unused
            masks.append(mask)
        m.d.comb += [
            self.negative.eq(select(Cat(signs), self.offset, lanes)),
            self.nonzero.eq(select(Cat(masks), self.offset, lanes)),
        ]
        return m

    def _fold(self, chunk, plane):
        """`model.discrete.direction.fold`."""
        r, c = (_rotated(word, by * plane) for word, by in ((self.row, 11), (chunk, 5)))
        products = (_rotated(r, 30) & _rotated(c, 15)) ^ (_rotated(r, 20) & _rotated(c, 27))
        return (r ^ c ^ products)[:CHUNK]


class PlaceWords(wiring.Component):
    """On ``PROBE``: draws the key, then makes the words of all rows and chunks, and keeps those.

    A key takes 387 cycles, a word of a row or a chunk 9, and a layer one more. With less than 16
    lanes the word of a chunk is made and kept for each word of T. With sparsity 0 the key is the
    state, a place, and takes 1 cycle, a word takes 2.

    Members
    -------
    start, operand : strobe, and the sparsity.
    state, following : of the generator: as it is, and, when `done`, as it is to be.
    busy, done : until all words are kept, and in the last cycle of that.
    walking, layer : the table's row of this layer is needed, as
    record : one cycle later.
    layers : rows of the table.
    sparsity : of the direction.
    row_address, row : word of a row to read, numbered as neurons are; one cycle later.
    chunk_address, chunks : word of T whose chunks' words to read; one cycle later. The inputs of
        the first layer come after those of the hidden layers.
    """

    def __init__(self, config: CoreConfig):
        self.config = config
        rows = config.output_words * config.lanes
        words = config.hidden_depth + config.max_input_words
        super().__init__({
            "start": In(1),
            "operand": In(range(MAX_SPARSITY + 1)),
            "state": In(64),
            "following": Out(64),
            "busy": Out(1),
            "done": Out(1),
            "walking": Out(1),
            "layer": Out(range(config.max_layers + 1)),
            "record": In(LayerRecord(config)),
            "layers": In(range(config.max_layers + 1)),
            "sparsity": Out(range(MAX_SPARSITY + 1), init=1),
            "row_address": In(range(rows)),
            "row": Out(32),
            "chunk_address": In(range(words)),
            "chunks": Out(32 * config.chunks),
        })
        self.mixer = SplitMix64()
        self.rows = BlockRam(32, rows)
        self.words = [BlockRam(32, words) for _ in range(config.chunks)]
        self.key = Signal(64)

    def elaborate(self, platform):
        m = Module()
        config, record, key = self.config, self.record, self.key
        m.submodules.mixer = mixer = self.mixer
        m.submodules.rows = rows = self.rows
        for n, memory in enumerate(self.words):
            m.submodules[f"words{n}"] = memory
        shift = max(0, (CHUNK // config.lanes).bit_length() - 1)

        x, y = Signal(16), Signal(16)
        number = Signal(3)                       # of the round
        columns = Signal()                       # chunks, after the rows
        index = Signal(16)                       # of the row or chunk
        word = Signal(range(config.max_words))
        part = Signal(range(config.chunks))
        next_x, next_y = Signal(16), Signal(16)
        store, part_ends, ends, looked_up = Signal(), Signal(), Signal(), Signal()
        one, fresh = self.sparsity == 0, Signal(32)
        m.d.comb += [
            mixer.i_state.eq(self.state),
            mixer.i_next.eq(self.start & self.operand.any()),
            self.following.eq(Mux(one, self._next_place(m, looked_up), mixer.o_state)),
            next_x.eq((x.rotate_right(7) + y)[:16] ^ key[:16] ^ number),
            next_y.eq(y.rotate_left(2) ^ next_x),
            fresh.eq(Mux(one, self._is_at(columns, y), Cat(next_y, next_x))),
            part_ends.eq(part == config.chunks - 1),
            ends.eq(Mux(columns, part_ends & (word + 1 == record.words),
                        index + 1 == record.outputs)),
            rows.address.eq(self.row_address),
            self.row.eq(rows.word),
            rows.write_address.eq(times(record.output_base, config.lanes) + index),
            rows.write_data.eq(fresh),
            rows.write.eq(store & ~columns),
            self.chunks.eq(Cat(memory.word for memory in self.words)),
        ]
        for n, memory in enumerate(self.words):
            m.d.comb += [
                memory.address.eq(self.chunk_address),
                memory.write_address.eq(
                    Mux(self.layer == 1, config.hidden_depth, record.input_base) + word),
                memory.write_data.eq(fresh),
                memory.write.eq(store & columns & (part == n)),
            ]

        self._control(m, SimpleNamespace(
            x=x, y=y, number=number, columns=columns, index=index, word=word, part=part, one=one,
            next_x=next_x, next_y=next_y, store=store, part_ends=part_ends, ends=ends,
            looked_up=looked_up, shift=shift))
        return m

    def _control(self, m, at):
        """Draws the key, then goes through the layers: rows, then words of chunks."""
        with m.FSM() as fsm:
            m.d.comb += [
                self.busy.eq(~fsm.ongoing("Idle")),
                self.walking.eq(~fsm.ongoing("Idle")),
                at.looked_up.eq(fsm.ongoing("Begin")),
            ]
            with m.State("Idle"):
                m.d.sync += [at.columns.eq(0), at.index.eq(0)]
                with m.If(self.start):
                    m.d.sync += [
                        self.sparsity.eq(self.operand), self.layer.eq(1), self.key.eq(self.state),
                    ]
                    m.next = "Draw"
                    with m.If(self.operand == 0):
                        m.next = "Look up"
            with m.State("Draw"):
                m.d.sync += self.key.eq(self.mixer.o_word)
                with m.If(self.mixer.o_done):
                    m.next = "Look up"
            with m.State("Look up"):
                m.next = "Begin"
            with m.State("Begin"):
                m.d.sync += [
                    at.x.eq(Cat(at.columns, self.layer)),
                    at.y.eq(Mux(at.columns & (at.shift > 0), at.word >> at.shift, at.index)),
                    at.number.eq(Mux(at.one, ROUNDS - 1, 0)),
                ]
                m.next = "Round"
            with m.State("Round"):
                m.d.sync += [at.x.eq(at.next_x), at.y.eq(at.next_y), at.number.eq(at.number + 1)]
                with m.If(~at.one):
                    m.d.sync += self.key.eq(self.key.rotate_right(16))
                with m.If(at.number == ROUNDS - 1):
                    m.d.comb += at.store.eq(1)
                    m.d.sync += at.index.eq(at.index + 1)
                    m.next = "Begin"
                    with m.If(at.columns):
                        m.d.sync += at.part.eq(Mux(at.part_ends, 0, at.part + 1))
                        with m.If(at.part_ends):
                            m.d.sync += at.word.eq(at.word + 1)
                    with m.If(at.ends):
                        m.d.sync += [at.columns.eq(~at.columns), at.index.eq(0), at.word.eq(0)]
                        with m.If(at.columns):
                            m.d.sync += self.layer.eq(self.layer + 1)
                            m.next = "Look up"
                            with m.If(self.layer == self.layers):
                                m.d.comb += self.done.eq(1)
                                m.next = "Idle"

    def _is_at(self, columns, number):
        """In place of the word of the row or chunk of this number: where in it the weight is."""
        place = data.View(PLACE, self.key)
        bit = Const(1, CHUNK) << place.column[:4]
        found = Mux(columns, Mux(number == place.column[4:], bit, 0), number == place.row)
        return Mux(self.layer == place.layer, found, 0)

    def _next_place(self, m, looked_up):
        """`model.discrete.walk.following`, from when the layer of the place is met."""
        record, place = self.record, data.View(PLACE, self.key)
        following = Signal(PLACE)
        full = (record.words - record.rest.any())[:len(record.words)]
        inputs = times(full, self.config.lanes) + record.rest
        row_ends, layer_ends = Signal(), Signal()
        m.d.comb += [
            row_ends.eq(place.column + 1 >= inputs),
            layer_ends.eq(row_ends & (place.row + 1 >= record.outputs)),
        ]
        with m.If(self.start):
            m.d.sync += following.eq(FIRST)
        with m.Elif(looked_up & (self.layer == place.layer)):
            m.d.sync += [
                following.column.eq(Mux(row_ends, 0, place.column + 1)),
                following.row.eq(Mux(layer_ends, 0, place.row + row_ends)),
                following.layer.eq(Mux(layer_ends & (self.layer == self.layers), 1,
                                       self.layer + layer_ends)),
            ]
        return following


def _rotated(word, by):
    """A word of 32 bits, rotated to the right."""
    by %= 32
    return Cat(word[by:], word[:by])
