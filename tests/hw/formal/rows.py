"""What is proved: of which unit, what, how deep, and the faults that the proof must find.

The sizes are small (`prover.small`): a core of 4 lanes, 2 banks, 2 update lanes. A fault is a
replacement in the source of the unit's module. A row that is `long` is left to ``make proofs``.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import (
    array,
    control,
    lanes,
    link,
    lists,
    loaders,
    memories,
    numbers,
    options,
    scores,
    update,
    wrappers,
)
from .prover import Property, planted

__all__ = ["OPEN", "ROWS", "Row"]


@dataclass(frozen=True)
class Row:
    """A property of a unit.

    Attributes
    ----------
    name
        Of the row; unique.
    module
        The unit's module, below `tritgrad`.
    build
        Makes the property of a module; its docstring says what holds.
    depth
        Cycles.
    faults
        Strings of the module's source and what stands there instead; each must be found.
    options
        Of `build`.
    complete
        Whether the depth is all there is: a property of one cycle, of a run that ends, or
        one that implies itself.
    induction
        Whether it is also shown that `depth` cycles without a fault are followed by another.
    long
        Whether only ``make proofs`` asks.
    """

    name: str
    module: str
    build: Callable[..., None]
    depth: int
    faults: tuple[tuple[str, str], ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    complete: bool = False
    induction: bool = False
    long: bool = False

    @property
    def says(self) -> str:
        return " ".join((self.build.__doc__ or "").split())

    @property
    def mode(self) -> str:
        kind = "induction" if self.induction else "bounded"
        return f"{kind} {self.depth}" + (", complete" if self.complete else "")

    def property(self, fault: int | None = None) -> Property:
        """The property of the unit, or of one with a fault."""
        module = importlib.import_module(f"tritgrad.{self.module}")
        if fault is not None:
            module = planted(module, *self.faults[fault])
        return Property(self.build, module, **self.options)


def _rows() -> list[Row]:
    parts, datapath, memory = "hw.parts", "hw.datapath", "hw.memory"
    made = [
        Row("arithmetic", f"{parts}.arith", numbers.arithmetic, 1, (
            ("total[:2] + total[2]", "total[:2] + total[1]"),
            ("value[0] & ~value[1], value[1]", "value[0], value[1]")), complete=True),
        Row("exceeds", f"{parts}.arith", numbers.comparison, 1, (
            ("value[:bits - 1].any()", "value[:bits - 2].any()"),), complete=True),
        Row("xorshift", f"{parts}.prng", numbers.xorshift, 3, (
            ("right ^ (right << 17)", "right ^ (right << 17) ^ (left >> 3)"),),
            complete=True, induction=True),
        Row("splitmix", f"{parts}.splitmix", numbers.splitmix, 4, (
            ("~residue[0], ~residue.any()", "~residue[1], ~residue.any()"),
            ("self.i_state + GOLDEN", "self.i_state - GOLDEN")), long=True),
        Row("splitmix, time", f"{parts}.splitmix", numbers.splitmix_time, 390, (
            ("mixer.i_index.eq(follows)", "mixer.i_index.eq(self.i_next)"),),
            complete=True, long=True),
        *(Row(f"update lane, b {bits}", f"{datapath}.update_lanes", lanes.update_lane, 1, (
            ("0b11 << (low - 2)", "0b10 << (low - 2)"),) if bits in (6, 14) else (),
            {"bits": bits}, complete=True, long=bits not in (6, 8, 14))
          for bits in range(6, 15)),
        *(Row(f"step lane, b {bits}, planes {planes}", f"{datapath}.update_lanes", lanes.step_lane,
              1, (("mask.eq((1 << (-self.gain)[:4]) - 1)", "mask.eq((1 << (-self.gain)[:4]) - 2)"),)
              if bits == 8 else (), {"bits": bits, "planes": planes}, complete=True, long=bits != 8)
          for bits, planes in ((6, 1), (6, 8), (8, 4), (14, 8))),
        Row("debt lane", f"{datapath}.update_lanes", lanes.debt_lane, 1, (
            ("one.eq(self.negative == by_two)", "one.eq(~self.negative)"),), complete=True),
        Row("backward lane", f"{datapath}.update_lanes", lanes.backward_lane, 10, (
            ("Mux(self.first, begin, total) + term", "Mux(self.first, begin, total) - term"),
            ("self.gate & total[-1]", "total[-1]")), {"skip": False}, complete=True),
        Row("backward lane, skip", f"{datapath}.update_lanes", lanes.backward_lane, 10, (
            ("Mux(self.first, begin, total) + term", "Mux(self.first, begin, total) - term"),),
            {"skip": True}, complete=True, long=True),
        Row("MAC bank, L 4", f"{datapath}.array", array.mac_bank, 7, (
            ("Mux(product, low, over)", "Mux(product, high, over)"),), {"lanes": 4},
            complete=True, induction=True),
        Row("MAC bank, L 12", f"{datapath}.array", array.mac_bank, 8, (), {"lanes": 12},
            complete=True, induction=True, long=True),
        Row("compressor", f"{datapath}.compressor", array.compressor, 5, (
            ("(a & b) | (a & carry) | (b & carry)", "(a & b) | (a & carry)"),),
            {"heights": (5, 7, 3)}, complete=True),
        *(Row(f"MAC array, {name}", f"{datapath}.array", array.mac_array,
              14 if "pipelined" in values else 12, faults, values,
              long=name in ("R 1", "R 3"))
          for name, values, faults in (
              ("R 1", {"banks": 1}, ()),
              ("R 3", {"banks": 3}, (("(~ends & (left <= 2))", "(~ends & (left <= 3))"),)),
              ("R 5, pipelined", {"banks": 5, "pipelined": True}, (
                  ("words_delay(config, n + wide) != delay", "0"),)),
              ("R 2, two sums a cycle", {"banks": 2, "drain": 2}, (
                  ("Mux(second, drain[1], drain[0])", "Mux(single, drain[1], drain[0])"),)))),
        Row("forward", f"{datapath}.forward", array.forward, 14, (
            ("issue & (single | self.entry_ended)", "issue & single"),
            ("rows_left.eq(rows_left - config.banks)", "rows_left.eq(rows_left - 1)"),
            ("Mux(single, 0, done | lowest)", "Mux(single, 0, lowest)"))),
        Row("list reader", f"{datapath}.sample_buffer", lists.list_reader, 14, (
            ("m.d.sync += end.eq(ends)", "m.d.sync += end.eq(ends | ~more)"),)),
        Row("sample buffer", f"{datapath}.sample_buffer", lists.sample_buffer, 12, (
            ("Cat(place, ~self.hand)", "Cat(place, self.hand)"),
            ("appended + mask.any()", "appended + 1"))),
        Row("row list", f"{datapath}.row_list", lists.row_list, 14, (
            ("row.bank == self.config.banks - 1", "row.bank == 0"),), complete=True),
        Row("update, busy", f"{datapath}.update", update.update_busy, 10, (
            ("active | Cat(issues).any()", "active | Cat(issues[:-1]).any()"),)),
        Row("update, draws", f"{datapath}.update", update.update_draws, 12, (
            ("(words.valid | words.ended) & beginning\n", "(words.valid | words.ended)\n"),
            ("(words.valid | words.ended) & beginning\n", "words.valid & beginning\n"))),
        Row("update, writes", f"{datapath}.update", update.update_writes, 12, (
            ("self.residual_write_address.eq(residual_3)",
             "self.residual_write_address.eq(self.residual_address)"),
            ("step_3 == config.steps - 1)", "step_3 == 0)"))),
        Row("activation", f"{datapath}.activation", scores.activation, 12, (
            ("Const(-1 << bits, len(beyond))", "Const(-1 << (bits + 1), len(beyond))"),),
            {"drain": 1}),
        Row("activation, two a cycle", f"{datapath}.activation", scores.activation, 12, (
            ("even.eq(~self.record.outputs[0])",
             "even.eq(self.record.outputs[0])"),), {"drain": 2}),
        Row("score scan", f"{datapath}.score_scan", scores.score_scan, 8, (
            ("above_rival.eq(self.z + below_rival >= 0)",
             "above_rival.eq(self.z + below_rival + 1 >= 0)"),), {"classes": 3}),
        Row("margin", f"{datapath}.error", scores.margin, 1, (
            ("beyond | (self.gap < margin)", "self.gap < margin"),), complete=True),
        Row("error words", f"{datapath}.error", scores.error_words, 8, (
            ("rival.eq(rival - lanes)", "rival.eq(rival)"),
            ("left > lanes", "left >= lanes")), complete=True),
        Row("block RAM", f"{memory}.block_ram", memories.block_ram, 6, (
            ("with m.If(self.enable):", "with m.If(1):"),
            ("write.en.eq(self.write)", "write.en.eq(self.write & self.enable)"))),
        Row("word memory", f"{memory}.word_memory", memories.word_memory, 6, (
            ("enable=~self.write", "enable=self.write"),)),
        Row("T", f"{memory}.stores", memories.trit_store, 7, (
            ("places[delay] == n", "places[delay] >= n"),), {"pipelined": False}),
        Row("T, pipelined", f"{memory}.stores", memories.trit_store, 10, (
            ("bank_delay(config, n) + 2]", "bank_delay(config, n) + 1]"),), {"pipelined": True}),
        Row("R", f"{memory}.stores", memories.residual_store, 8, (
            ("m.d.comb += self.word.eq(select(words, number, self.width))",
             "m.d.sync += self.word.eq(select(words, number, self.width))"),),
            {"pipelined": False}),
        Row("R, pipelined", f"{memory}.stores", memories.residual_store, 8, (
            ("targets[-1][:bits]", "self.write_address[:bits]"),), {"pipelined": True}),
        Row("sequencer", "hw.control.sequencer", control.sequencer, 20, (
            ("with m.If(stopping | corrupt):", "with m.If(corrupt):"),
            ('Mux(past_end, Op.HALT, word["opcode"])', 'word["opcode"]'))),
        Row("sequencer, jumps", "hw.control.sequencer", control.sequencer_jumps, 10, (
            ("counter == 1", "counter == 0"),
            ("Mux(self.flag, pc + 1, self.operand)", "Mux(self.flag, self.operand, pc + 1)"))),
        Row("statistics", "hw.control.statistics", control.statistics, 96, (
            ("Mux(starts, event, carry)", "Mux(starts, 0, carry)"),)),
    ]
    made += _link_rows("hw.link") + _option_rows("units")
    return made


def _link_rows(folder: str) -> list[Row]:
    return [
        Row("stuffing", f"{folder}.stuffing", link.stuffing, 20, (
            ("(self.i.p.data == FLAG) | (self.i.p.data == ESC)", "self.i.p.data == FLAG"),)),
        Row("CRC", "hw.parts.arith", link.crc, 2, (), complete=True, induction=True, long=True),
        Row("receiver", f"{folder}.receiver", link.receiver, 20, (
            ("item.ready.eq(~self.o_pending)", "item.ready.eq(~self.o_pending | in_hand)"),)),
        Row("transmitter", f"{folder}.transmitter", link.transmitter, 13, (
            ("self.i.ready.eq(~spare_full)", "self.i.ready.eq(1)"),)),
        Row("arbiter", f"{folder}.transmitter", link.arbiter, 20, (
            ("self.o.valid & self.o.ready & self.o.p.last", "self.o.valid & self.o.ready"),
            ("reversed(range(1, self.inputs + 1))", "range(1, self.inputs + 1)"))),
        Row("window", f"{folder}.window", link.window, 1, (
            ("end.eq(self.address + self.count)", "end.eq((self.address + self.count)[:16])"),),
            complete=True),
        Row("memory window", f"{folder}.window", link.memory_window, 8, (
            ("with m.If(memory.space == other):", "with m.If(0):"),
            ("Mux(self.word_ends, 0, byte + 1)", "byte + 1"))),
        Row("frame reader", f"{folder}.reader", link.frame_reader, 8, (
            ("with m.If(self.mark | self.swap):", "with m.If(self.mark):"),
            ("self.nonzero | (self.byte != 0)", "self.byte != 0"))),
        Row("answers", f"{folder}.answers", link.answers, 15, (
            ("self.length == 1) &", "self.length == 2) &"),
            ("nonce.rotate_right(8)", "nonce.rotate_left(8)"))),
        Row("record packets", f"{folder}.record_packets", link.pieces, 17, (
            ("ends[sent_half] + 5", "ends[half] + 5"),
            ("self.i.ready.eq(~full.bit_select(half, 1))", "self.i.ready.eq(1)")), long=True),
        Row("record packets, the first", f"{folder}.record_packets", link.pieces, 14, (
            ("ends[sent_half] + 5", "ends[half] + 4"),)),
        Row("results, 1 score", f"{folder}.results", link.results, 19, (
            ("(place[:2] == 3) & (left == 1)", "(place[:2] == 3) & (left == 2)"),
            ("5 + Cat(Const(0, 2), left)", "5 + left")), {"most": 1}),
        Row("results, 2 scores", f"{folder}.results", link.results, 26, (), {"most": 2}, long=True),
        Row("program loader", f"{folder}.program", loaders.program, 34, (
            ("self.write.eq(second_pass)", "self.write.eq(1)"),
            ("bounds.append(~(above if len(above) == 1 else exceeds(operand, most)))", "pass")),
            {"most": 3}, complete=True, long=True),
        Row("table loader, 1 layer", f"{folder}.table", loaders.table, 42, (
            ("at.residuals + times(words, config.steps * parts))", "at.residuals + at.words)"),
            ("(at.outputs == 0) | (at.last & (at.outputs == 1))", "at.outputs == 0")),
            {"rows": 1}, complete=True),
        Row("unpack, L 8", f"{folder}.unpack", loaders.unpack, 12, (
            ("known.eq(byte[:n])", "known.eq(byte)"),), {"lanes": 8}),
        Row("unpack, L 2", f"{folder}.unpack", loaders.unpack, 16, (
            ("known.eq(byte[:n])", "known.eq(byte)"),), {"lanes": 2}, long=True),
        Row("samples", f"{folder}.samples", loaders.samples, 20, (
            ("too_large | (self.byte >= self.classes)", "self.byte >= self.classes"),
            ("m.d.comb += [self.mark.eq(1), self.rewind.eq(~self.sparse)]",
             "m.d.comb += self.rewind.eq(~self.sparse)"))),
        Row("UART, 6 cycles a bit, 2 %", f"{folder}.uart", link.uart, 80, (
            ("m.d.sync += phase.eq(half)", "m.d.sync += phase.eq(0)"),),
            {"cycles": 6, "drift": 2}, complete=True),
    ]


def _option_rows(folder: str) -> list[Row]:
    return [
        Row("row sums", f"{folder}.row_sums.rtl", options.row_sums, 12, (
            ("begins.eq(ends_1)", "begins.eq(0)"),)),
        Row("SCRUB", f"{folder}.row_sums.rtl", options.scrub, 16, (
            ("first.eq(first + words)", "first.eq(first + 1)"),
            ("part.eq(sum_mod3(trits.word))", "part.eq(sum_mod3(trits.word[:2]))")),
            complete=True),
        Row("support store", f"{folder}.support.store", memories.support_store, 8, (
            ("m.d.sync += known.eq(0)", "pass"),
            ("born.eq(self.visit & self.alive)", "born.eq(self.visit)"))),
        Row("granule reader", f"{folder}.support.granules", lists.granule_reader, 12, (
            ("following.eq(self.group + 1)", "following.eq(self.group)"),)),
        Row("purge, ranges", f"{folder}.support.purge", options.purge, 84, (
            ("rows.eq(Mux(outputs > config.banks, config.banks, outputs))",
             "rows.eq(config.banks)"),), {"bound": 82}, complete=True, long=True),
        Row("purge, words", f"{folder}.support.purge", options.purge_words, 26, (
            ("(total > cutoff) & (k < bits - 1)", "(total > cutoff)"),
            ("Const(-1, bits) << k", "Const(-2, bits) << k")), complete=True),
        Row("scales, product", f"{folder}.scales.rtl", options.scale_multiplier, 4, (
            ("TOP + 1 - self.code.lower)", "TOP - self.code.lower)"),), complete=True),
        Row("scales, divider", f"{folder}.scales.rtl", options.factor_divider, 14, (
            ("half & beyond", "half"),
            ("with m.Elif(place + 1 == lower)", "with m.Elif(place == lower)")), {"size": 4}),
        Row("skip", f"{folder}.skip.rtl", options.skip, 14, (
            ("memory.address.eq(address + ends)", "memory.address.eq(address)"),
            ("Mux(known.bit_select(stage.layer, 1), stage.record.skip, 0)",
             "stage.record.skip"))),
        *(Row(f"direction, L {lanes_}", f"{folder}.perturb.direction", options.direction, 1, (
            ("mask &= self._fold(chunk, plane) | unused",
             "mask &= self._fold(chunk, plane) | ~unused"),), {"lanes": lanes_}, complete=True)
          for lanes_ in (8, 16)),
        Row("perturbed trits", f"{folder}.perturb.direction", options.perturbed, 1, (
            ("(up & ~is_minus_one)", "up"),), complete=True),
        Row("batch buffer", f"{folder}.perturb.batch", lists.batch_buffer, 12, (
            ("tail - self.kept + self.position", "tail + self.position"),
            ("heads.write_data.count.eq(appended)", "heads.write_data.count.eq(index)"))),
        Row("loss, sum", f"{folder}.perturb.loss", scores.loss, 16, (
            ("with m.If(lack > margin << 1)", "with m.If(lack > margin << 2)"),
            ("Mux(self.negative, self.total - amount, self.total + amount)",
             "self.total + amount"))),
        Row("loss, step", f"{folder}.perturb.loss", scores.loss_step, 12, (
            ("exponent >= steps - 1", "exponent > steps - 1"),)),
        Row("event queue", f"{folder}.trace.events", options.event_queue, 11, (
            ("level >= self.depth - self.margin", "level > self.depth - self.margin + 1"),)),
        Row("event queue, rate", f"{folder}.trace.events", options.event_rate, 8, (
            ("(~self.o.valid | self.o.ready)", "~self.o.valid"),)),
        Row("trace unit", f"{folder}.trace.rtl", options.trace_unit, 18, (
            ("queue.write.eq(self.open.any() &", "queue.write.eq(1 &"),)),
        Row("AXI-Stream", "hw.wrappers.axi_stream", wrappers.axi_stream, 10, (
            ("flag & inside", "flag"), ("inside.eq(~flag)", "inside.eq(1)"))),
        Row("Wishbone", "hw.wrappers.wishbone", wrappers.wishbone, 16, (
            ("self.wb_stb & ~self.wb_ack", "self.wb_stb"),
            ("self.depth - fifo.w_level", "self.depth + 1 - fifo.w_level"),
            ("back.r_en.eq(1)", "back.r_en.eq(0)"))),
    ]


ROWS = {row.name: row for row in _rows()}

#: Modules with hardware of which nothing is proved, and why.
OPEN = {
    "hw.core": "joins the engine and the link; lockstep and fuzzing",
    "hw.engine": "joins the units; lockstep after each instruction",
    "hw.datapath.row_lists": "lockstep after each instruction, planted faults",
    "hw.datapath.row_update": "lockstep after each instruction, planted faults",
    "hw.memory.row_stores": "lockstep after each instruction, planted faults",
    "hw.wrapped": "joins the core and a bus, both proved or simulated by themselves",
    "hw.link.commands": "requests of many frames: simulation, fuzzing against the golden device",
    "hw.link.player": "requests of many records: simulation against the golden device",
    "units.perturb.rtl": "joins its parts; lockstep after each instruction",
    "units.support.rtl": "joins its parts; lockstep after each instruction",
    "units.signature.rtl": "simulation beside the golden device, upsets on the compiled core",
    "units.conv.rtl": "joins its parts; lockstep after each instruction",
    "units.conv.walk": "simulation with the forward pass, against the golden model",
    "units.conv.forward": "simulation against the golden model, planted faults",
    "units.conv.greatest": "simulation with the forward pass, against the golden model",
    "units.conv.sums": "simulation with the steps, against the golden model",
    "units.conv.learn": "simulation against the golden model, planted faults",
    "units.conv.step": "simulation of all counters of 6 bits with all sums of 7",
    "units.conv.kernels": "simulation with the steps, against the golden model",
    "units.conv.gather": "exact cycles, lockstep after each instruction, and planted faults",
    "units.conv.features": "lockstep after each instruction",
    "units.conv.images": "lockstep after each instruction",
    "hw.link.front": "simulation of all rows of small cores, against the golden model",
    "units.watchdog.rtl": "simulation: hung programs, and runs that must not be reset",
    "hw.store.flash": "simulation at the pins of a model that stops it at a broken rule",
    "hw.store.sdram": "simulation at the pins of a model that stops it at a broken rule",
    "hw.store.hyper": "simulation at the pins of a model that stops it at a broken rule",
    "hw.store.block": "simulation with the store in front of it",
    "hw.store.ram": "simulation against the records' description",
    "hw.store.records": "simulation against the records' description",
    "hw.store.images": "simulation against the golden device",
    "hw.store.tiles": "simulation against the golden device",
    "hw.link.image_row": "simulation of tables, against the golden model",
    "hw.parts.skid": "simulation with stalls on both sides",
    "hw.parts.pipeline": "delays; proved with T, R and the MAC array, pipelined",
}
