"""Interfaces between the link's command processor and the core."""

from amaranth import *
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out

from ...firmware.frames import Space
from ...model.config import CoreConfig
from ...units import UNITS
from ...units.registry import windows

__all__ = ["PACKET_BYTE", "LayerRecord", "MemorySignature", "RunState", "StatisticsSignature",
           "memory_word_bits", "sample_word"]

#: A byte of a packet; `last` marks its final one. No packet is empty.
PACKET_BYTE = data.StructLayout({"data": 8, "last": 1})


def memory_word_bits(config: CoreConfig) -> int:
    """Bits of the widest word of any memory that the core has."""
    residuals = config.update_lanes * config.residual_bits if config.trainable else 0
    return max(2 * config.lanes, residuals,
               *(window.bits(config) for window in windows(config).values()))


def sample_word(config: CoreConfig) -> data.StructLayout:
    """Payload of the sample stream: L inputs of a sample, all planes; words in ascending order.

    Lane i of plane p is bit ``p * L + i`` of ``planes``. `last` marks a sample's final word;
    `label` is valid with it. Lanes and planes that the sample does not have are 0.
    """
    return data.StructLayout({"planes": config.input_planes * config.lanes, "label": 8, "last": 1})


class LayerRecord(data.StructLayout):
    """A row of the layer table as the units use it: sizes, place in the memories, exponents.

    Units have fields in it, as their records say. With resident samples, `rest` is the number of
    inputs in the last word, 0 for L. Where rows have scales, `size` is the exponent of a group's
    size (`scales.chip.size_exponent`). With skip connections, `skip` is as in `model.layout.Layer`.
    """

    def __init__(self, config: CoreConfig):
        super().__init__({
            "words": range(config.max_words + 1),
            "outputs": range(config.max_neurons + 1),
            "trit_base": range(config.trit_depth),
            "residual_base": range(config.residual_depth),
            "input_base": range(config.output_words + 1),
            "output_base": range(config.output_words + 1),
            "shift": 5,
            "gain": signed(5),
            **{name: values(config) for unit in UNITS if unit.within(config)
               for name, values in unit.record.items()},
        })


class MemorySignature(wiring.Signature):
    """The command processor's access to the memories while no program runs.

    Members
    -------
    space : see `firmware.frames.Space`.
    bank : bank of T.
    address : word.
    write : strobe; `write_data` is written at the clock edge. The last bytes of it are the word's.
    read_data : the addressed word, from two cycles after `space`, `bank` and `address` were set
        until they change.
    """

    def __init__(self, config: CoreConfig):
        bits = memory_word_bits(config)
        others = windows(config)
        words = max(config.trit_depth, config.residual_depth,
                    *(window.depth(config) for window in others.values()))
        write_bits = 8 * max(config.trit_word_bytes, config.residual_word_bytes,
                             *(window.word_bytes(config) for window in others.values()))
        super().__init__({
            "space": Out(range(max(others, default=Space.R) + 1)),
            "bank": Out(range(config.banks)),
            "address": Out(range(words)),
            "write": Out(1),
            "write_data": Out(write_bits),
            "read_data": In(bits),
        })


class StatisticsSignature(wiring.Signature):
    """The command processor's access to the counters that STATUS reports.

    Members
    -------
    take : take a picture of all counters; until `ready`.
    taken : strobe: it shows what was counted before this cycle, which `total_cycles` includes.
    ready : strobe: from the next cycle on the picture can be read; until `take`.
    place, byte : byte to read, counted from the first one of the frame that answers STATUS; one
        cycle later.
    """

    def __init__(self) -> None:
        super().__init__({
            "take": Out(1), "taken": In(1), "ready": In(1), "place": Out(6), "byte": In(8),
        })


class RunState(enum.Enum, shape=3):
    """As `firmware.frames.Run`."""

    IDLE = 0
    RUNNING = 1
    HALTED = 2
    ABORTED = 3
    FAULT = 4
    CORRUPT = 5
