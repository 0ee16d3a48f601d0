"""All memories of a core, as wide and as deep as the RTL has them."""

import struct
from collections.abc import Iterable
from dataclasses import replace

from ..firmware.frames import ANSWER_HEAD, Fields
from ..units import UNITS, registry
from ..units.record import Memory, bits_of
from .config import CoreConfig

__all__ = ["copied", "memories"]

#: Bytes of the counters that STATUS reports, two pictures of a round of them.
STATISTICS = 128


def memories(config: CoreConfig) -> tuple[Memory, ...]:
    """The memories of a core, T and R first; units' are as their records say."""
    c, words = config, config.max_input_words
    listed = (
        Memory("T (trits)", "trit_depth", c.trit_depth, 2 * c.lanes, "engine.trits", c.banks),
        *registry.unit_of("trainable").memories(c)[:1 if c.trainable else 0],
        Memory("program", "program_depth", c.program_depth, 32, "engine.sequencer.program"),
        Memory("layer table", "max_layers", c.table_rows, _table_bits(c),
               "engine.sequencer.table"),
        Memory("samples", "max_inputs", 2 << (words - 1).bit_length(),
               _entry_bits(c, c.input_planes, words), "engine.inputs.memory"),
        Memory("activations", "hidden_depth", c.hidden_depth,
               _entry_bits(c, c.activation_bits, c.max_words), "engine.activation.memory"),
        Memory("gate bits", "hidden_depth", c.hidden_depth, c.lanes,
               "engine.activation.gate_memory"),
        Memory("scores", "max_classes", c.max_classes, c.score_bits, "engine.scan.memory"),
        Memory("statistics", "", STATISTICS, 8, "engine.counters.memory"),
        Memory("statistics to report", "", STATISTICS, 8, "engine.counters.picture"),
        Memory("answer to HELLO", "", 4 + _bytes(ANSWER_HEAD) + _bytes(registry.hello_fields(c)), 8,
               "commands.hello.memory"),
        Memory("receive slots", "slot_bytes", 2 * c.slot_bytes, 8, "receiver.memory"),
    )
    found = {memory.path: memory for memory in listed}
    found |= {memory.path: _widened(memory, c) for memory in registry.memories(c)}
    return tuple(found.values())


def copied(config: CoreConfig, paths: Iterable[str]) -> tuple[str, ...]:
    """Paths in a core, with one for each copy in place of that of a memory with copies."""
    copies = {memory.path: memory.copies for memory in memories(config)}
    return tuple(name for path in paths for name in (
        [path] if copies.get(path, 1) == 1 else [f"{path}{n}" for n in range(copies[path])]))


def _bytes(fields: Fields) -> int:
    return struct.calcsize("<" + "".join(code for _, code in fields))


def _entry_bits(config: CoreConfig, planes: int, words: int) -> int:
    """Of `hw.datapath.sample_buffer.Entry`."""
    return bits_of(range(words)) + planes * (1 + config.lanes)


def _table_bits(config: CoreConfig) -> int:
    """Of `hw.parts.ports.LayerRecord`."""
    c = config
    numbers = (c.max_words + 1, c.max_neurons + 1, c.trit_depth, c.residual_depth,
               c.output_words + 1, c.output_words + 1)
    fields = {name: bits_of(values(c)) for unit in UNITS if unit.within(c)
              for name, values in unit.record.items()}
    return sum(bits_of(range(n)) for n in numbers) + 5 + 5 + sum(fields.values())


def _widened(memory: Memory, config: CoreConfig) -> Memory:
    """The list of rows with the fields of units in it (`hw.parts.entry.RowEntry`)."""
    if memory.path != "engine.lister.memory":
        return memory
    fields = {name: bits_of(values(config)) for unit in UNITS if unit.within(config)
              for name, values in unit.rows.items()}
    return replace(memory, width=memory.width + sum(fields.values()))
