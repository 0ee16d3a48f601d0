"""Sockets: what a unit that a core may be made without plugs into.

Each is an interface from the core to the unit, named by what it does. A unit's circuit
(`units.record.Unit.circuit`) is a component that has some of them as members, flipped, under the
names that its record lists; `units.record.SOCKETS` has all names.
"""

from amaranth import *
from amaranth.hdl import ShapeLike
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...firmware.isa import FORMAT, Op
from ...model.config import MAX_SKIP, CoreConfig
from ...units.registry import takes
from .entry import Entry, RowEntry
from .ports import PACKET_BYTE, LayerRecord

__all__ = ["BEGIN", "Changes", "CounterPort", "Decision", "Dispatch", "Draws", "ErrorTap",
           "GainPort", "Guard", "Peek", "PrngPort", "Records", "RowWords", "Stage", "StatusTail",
           "StepSource", "Still", "StoreTap", "SumBegins", "TritRead", "WindowPort", "WordFilter"]

#: What a sum of the backward pass may begin with.
BEGIN = signed(MAX_SKIP + 2)


class Dispatch(wiring.Signature):
    """Instructions, from the sequencer, and what a unit says to it.

    Members
    -------
    clear : strobe: the program begins.
    linked : no program runs: the unit's memories are the link's.
    operand, record, last : of the instruction in hand: its immediate, the table row that it names,
        and whether that is the last layer. layers : rows of the table.
    forward, error, backward, update : strobes of instructions that every core has, or every core
        that can train; a strobe more for each instruction of the unit's own, by its name.
    waits : a bit for each of its own, in their order: it may not be dispatched yet.
    busy : until all is written; other instructions than jumps wait.
    hold : nothing is dispatched. stall : an update begins no step.
    corrupt : the program ends as corrupt once all units are quiet.
    feeds : of a layer in front of the first: as `busy`, but FWD need not wait.
    undecided : the flag is not there yet, and SKIP waits.
    lasting : the program does not stop yet.
    looks, layer : in the next cycle `record` is to be the row of this layer.
    """

    def __init__(self, config: CoreConfig, ops: tuple[Op, ...]):
        self.ops = ops
        layers = range(config.max_layers + 1)
        super().__init__({
            "clear": Out(1),
            "linked": Out(1),
            "operand": Out(FORMAT[0][2]),
            "record": Out(LayerRecord(config)),
            "last": Out(1),
            "layers": Out(layers),
            **{name: Out(1) for name in ("forward", "error", "backward", "update")},
            **{op.name.lower(): Out(1) for op in ops},
            "waits": In(len(ops)),
            **{name: In(1) for name in (
                "busy", "hold", "stall", "corrupt", "undecided", "lasting", "looks")},
            "layer": In(layers),
            **({"feeds": In(1)} if takes(config, "front") else {}),
        })


class Draws(wiring.Signature):
    """Draws of the generator, and flips of a unit's own counters, while no update goes on.

    Members
    -------
    draw : strobe; `dither` is the draw, from the next cycle on. flips : how many trits change, of
        `together` at most.
    """

    def __init__(self, together: int = 1) -> None:
        super().__init__({"draw": In(1), "dither": Out(16), "flips": In(range(together + 1))})


class GainPort(wiring.Signature):
    """The gain exponent of a layer that is updated: `gain` by the table, `o_gain` for the update.

    `wrong` : the prediction of the sample is not its label.
    """

    def __init__(self) -> None:
        super().__init__({"gain": Out(signed(5)), "wrong": Out(1), "o_gain": In(signed(5))})


class WindowPort(wiring.Signature):
    """The link's access to a memory of a unit while no program runs; `word` after a cycle."""

    def __init__(self, depth: int, shape: ShapeLike):
        super().__init__({"address": Out(range(depth)), "write": Out(1), "write_data": Out(shape),
                          "word": In(shape)})


class Changes(wiring.Signature):
    """U counters of a row that change, in the cycle in which they are written.

    Members
    -------
    step : strobe: they are; of one that moves none, too. ends : the row's update ends with them.
    row : as listed (`RowEntry`). word, part : which word of its inputs, which U of that.
    address : word of T.
    old, new, old_residuals, new_residuals : before and after.
    flips, saturated : of each, whether its trit changed, whether it would have gone further.
    whole, trits : strobe: with these a word of T is complete, and the word.
    reads, meets : a cycle before `step`: what `old` will be, and of each whether its input is
        not 0.
    """

    def __init__(self, config: CoreConfig):
        lanes = config.update_lanes
        super().__init__({
            "step": Out(1),
            "ends": Out(1),
            "row": Out(RowEntry(config)),
            "word": Out(range(config.max_words)),
            "part": Out(range(config.steps)),
            "address": Out(range(config.trit_depth)),
            "old": Out(2 * lanes),
            "new": Out(2 * lanes),
            "old_residuals": Out(lanes * config.residual_bits),
            "new_residuals": Out(lanes * config.residual_bits),
            "flips": Out(lanes),
            "saturated": Out(lanes),
            "whole": Out(1),
            "trits": Out(2 * config.lanes),
            "reads": Out(2 * lanes),
            "meets": Out(lanes),
        })


class TritRead(wiring.Signature):
    """Reads T while `active`, and no other unit works: `word` two cycles and `read_delay` later."""

    def __init__(self, config: CoreConfig):
        super().__init__({"active": In(1), "address": In(range(config.trit_depth)),
                          "bank": In(range(config.banks)), "word": Out(2 * config.lanes)})


class CounterPort(wiring.Signature):
    """With `TritRead`: writes that word of T, and reads and writes R, while that is `active`.

    `residual_word` comes a cycle and `read_delay` after its address; writes are at the clock edge.
    """

    def __init__(self, config: CoreConfig):
        residuals = config.update_lanes * config.residual_bits
        super().__init__({
            "trit_write": In(1),
            "trit_write_data": In(2 * config.lanes),
            "residual_address": In(range(config.residual_depth)),
            "residual_word": Out(residuals),
            "residual_write": In(1),
            "residual_write_data": In(residuals),
        })


class Stage(wiring.Signature):
    """A stage between the array and what takes its sums: in order, one or two a cycle.

    Members
    -------
    start, record, layer, last : strobe: the sums of that layer come next, table row and number of
        it, and whether it is the last.
    z, z_valid, o_z, o_z_valid : sums in and out, as much later as the stage takes.
    z_next, o_z_next : of a core whose array drains two a cycle: the one after, of hidden layers.
    """

    def __init__(self, config: CoreConfig):
        z = signed(config.score_bits)
        super().__init__({
            "start": Out(1),
            "record": Out(LayerRecord(config)),
            "layer": Out(range(config.max_layers + 1)),
            "last": Out(1),
            "z": Out(z),
            "z_valid": Out(1),
            "o_z": In(z),
            "o_z_valid": In(1),
            **({"z_next": Out(z), "o_z_next": In(z)} if config.drain == 2 else {}),
        })


class StoreTap(wiring.Signature):
    """Words of activations that are stored, zero ones too: address from ``output_base`` on."""

    def __init__(self, config: CoreConfig):
        super().__init__({"store": Out(1), "address": Out(range(config.hidden_depth)),
                          "planes": Out(config.activation_bits * config.lanes)})


class ErrorTap(wiring.Signature):
    """Words of errors that are stored, as `memory.stores.ErrorStore` has them."""

    def __init__(self, config: CoreConfig):
        super().__init__({"write": Out(1),
                          "write_address": Out(range(config.output_words * config.steps)),
                          "write_data": Out(2 * config.update_lanes)})


class Decision(wiring.Signature):
    """What the last layer's scores led to; a unit may judge a sample and set the flag itself.

    Members
    -------
    prediction, target, rival, gap, flag : of the sample.
    room : the statistics have room for a sample. judges : strobe, while `room`: count one.
    settle, settled : strobe, and what the flag becomes.
    """

    def __init__(self, config: CoreConfig):
        classes = range(config.max_classes)
        super().__init__({
            "prediction": Out(classes),
            "target": Out(classes),
            "rival": Out(classes),
            "gap": Out(signed(config.score_bits + 1)),
            "flag": Out(1),
            "room": Out(1),
            "judges": In(1),
            "settle": In(1),
            "settled": In(1),
        })


class Peek(wiring.Signature):
    """Reads what other units keep of a layer, while `active` and none of them works.

    Members
    -------
    score_index, score : a score, one cycle later.
    layer, count : number of the layer that reads the activations; entries of their list. Where
        lists are masks (`registry.takes`) `mask` instead: the words that are not zero.
    address, enable, entry : entry of the list, one cycle later, held while not enabled.
    gate_address, gates : word of gate bits, one cycle later.
    error_address, errors : word of errors, one cycle later; of a core that can train.
    """

    def __init__(self, config: CoreConfig):
        super().__init__({
            "active": In(1),
            "score_index": In(range(config.max_classes)),
            "score": Out(signed(config.score_bits)),
            "layer": In(range(config.max_layers + 1)),
            **({"mask": Out(config.max_words)} if takes(config, "masks") else
               {"count": Out(range(config.hidden_depth + 1))}),
            "address": In(range(config.hidden_depth)),
            "enable": In(1),
            "entry": Out(Entry(config, config.activation_bits, config.max_words)),
            "gate_address": In(range(config.hidden_depth)),
            "gates": Out(config.lanes),
            **({"error_address": In(range(config.output_words * config.steps)),
                "errors": Out(2 * config.update_lanes)} if takes(config, "training") else {}),
        })


class Still(wiring.Signature):
    """Keeps counters of an update as they are.

    Members
    -------
    busy : an update or a backward pass goes on. row : row to come, as listed.
    word : one cycle later: which word of the row's inputs.
    still : with `word`: its counters stay.
    """

    def __init__(self, config: CoreConfig):
        super().__init__({"busy": Out(1), "row": Out(RowEntry(config)),
                          "word": Out(range(config.max_words)), "still": In(1)})


class SumBegins(wiring.Signature):
    """What sums of the backward pass begin with, else 0.

    Members
    -------
    start, record : strobe, table row of the layer whose errors go back.
    word, part : which word of its inputs, which U of that; one cycle later
    begin : what their sums begin with.
    """

    def __init__(self, config: CoreConfig):
        super().__init__({
            "start": Out(1),
            "record": Out(LayerRecord(config)),
            "word": Out(range(config.max_words)),
            "part": Out(range(config.steps)),
            "begin": In(data.ArrayLayout(BEGIN, config.update_lanes)),
        })


class StepSource(wiring.Signature):
    """An update with steps and words of a unit's own: all rows, no draws.

    Members
    -------
    start : strobe, with the sequencer's record: begin. along : from then on, until another begins.
    index, last : word that is next, whether it is a row's last; entry_take : strobe: taken.
    row_take : strobe: a row is through.
    nonzero, negative : of each lane of L, one cycle after its word: whether its counter moves, and
        whether down. magnitude : by how much.
    """

    def __init__(self, config: CoreConfig):
        super().__init__({
            "start": In(1),
            "along": In(1),
            "index": In(range(config.max_words)),
            "last": In(1),
            "entry_take": Out(1),
            "row_take": Out(1),
            "nonzero": In(config.lanes),
            "negative": In(config.lanes),
            "magnitude": In(config.counter_bits - 2),
        })


class RowWords(wiring.Signature):
    """A word for each row of a row group, read before its forward pass.

    Members
    -------
    wanted : valid when the layer starts: before each row group R cycles go to
    address, shift : number of the row whose word is read; it is there, of the R rows in their
        order.
    index : word of T that is read, without its base.
    """

    def __init__(self, config: CoreConfig):
        super().__init__({
            "wanted": In(1),
            "address": Out(range(config.output_words * config.lanes)),
            "shift": Out(1),
            "index": Out(range(config.max_words)),
        })


class WordFilter(wiring.Signature):
    """Changes words of T on their way to the array, in one cycle."""

    def __init__(self, config: CoreConfig):
        words = data.ArrayLayout(2 * config.lanes, config.banks)
        super().__init__({"words": Out(words), "o_words": In(words)})


class PrngPort(wiring.Signature):
    """The generator's state; `load` sets it to `following`."""

    def __init__(self) -> None:
        super().__init__({"state": Out(64), "load": In(1), "following": In(64)})


class Records(wiring.Signature):
    """Bytes for the host, `last` ends a record; `sending` while taken ones are on their way."""

    def __init__(self) -> None:
        super().__init__({"o": In(stream.Signature(PACKET_BYTE)), "sending": Out(1)})


class StatusTail(wiring.Signature):
    """Bytes behind those that every core's STATUS has; `loaded` while the link writes T or R."""

    def __init__(self, size: int):
        super().__init__({"loaded": Out(1), "value": In(8 * size)})


class Guard(wiring.Signature):
    """Watches the whole core.

    Members
    -------
    owing : somebody waits for the core: a frame, a program that runs and has its samples.
    progress : an instruction was dispatched, a sample word taken, a byte sent.
    bite : strobe: reset the core.
    """

    def __init__(self) -> None:
        super().__init__({"owing": Out(1), "progress": Out(1), "bite": In(1)})
