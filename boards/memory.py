"""Block memories: the shapes they come in, and how many a core's stores take."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ConfigError
from ..model.config import CoreConfig, ceil_div
from ..model.memories import memories
from ..units.record import Memory
from ..units.registry import OPTIONS

__all__ = ["BSRAM", "DP16KD", "EBR", "LUTRAM", "LUTRAM_LUTS", "SPRAM", "BlockMemory", "Store",
           "check_fits", "core_config", "stores"]


@dataclass(frozen=True)
class BlockMemory:
    """A block memory and the shapes that it can be set to.

    Parameters
    ----------
    name
        As nextpnr's report or the data sheet calls it.
    shapes
        (words, bits a word), widest first.
    masked
        Whether the deeper shapes are made of masked writes and a multiplexer, so that they pay
        only where they save blocks.
    tables
        Whether there are look-up tables beside it that can be memory.
    """

    name: str
    shapes: tuple[tuple[int, int], ...]
    masked: bool = False
    tables: bool = False

    def shape_for(self, depth: int, width: int) -> tuple[int, int]:
        """The shape that takes the fewest blocks; of equals the deepest, or widest if `masked`."""
        order = 1 if self.masked else -1
        return min(self.shapes,
                   key=lambda shape: (self._blocks(depth, width, shape), order * shape[0]))

    def filled(self, depth: int, width: int) -> int:
        """The depth that fills the blocks which a memory takes anyway."""
        words = self.shape_for(depth, width)[0]
        return ceil_div(depth, words) * words

    def blocks(self, depth: int, width: int) -> int:
        """How many blocks of one shape a memory of `depth` words of `width` bits takes."""
        return min(self._blocks(depth, width, shape) for shape in self.shapes)

    @staticmethod
    def _blocks(depth: int, width: int, shape: tuple[int, int]) -> int:
        return ceil_div(depth, shape[0]) * ceil_div(width, shape[1])


#: ECP5, with one read and one write port (Lattice FPGA-TN-02204).
DP16KD = BlockMemory("DP16KD", (
    (512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)), tables=True)
#: Gowin, semi dual port (Gowin UG285).
BSRAM = BlockMemory("BSRAM", (
    (512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)), tables=True)
#: iCE40 (Lattice FPGA-TN-02002).
EBR = BlockMemory("EBR", ((256, 16), (512, 8), (1024, 4), (2048, 2)))
#: iCE40 UltraPlus, one port (Lattice FPGA-TN-02022); deeper than a block by its masks for nibbles.
SPRAM = BlockMemory("SPRAM", ((16384, 16), (32768, 8), (65536, 4)), masked=True)


#: Look-up tables as memory, ECP5's and Gowin's (Yosys' lutrams_trellis.txt, gowin/lutrams.txt).
LUTRAM = BlockMemory("LUT RAM", ((16, 4),))
#: LUT4s of one.
LUTRAM_LUTS = 4
#: What Yosys counts a block memory of those families as, in LUTs (brams_16kd.txt, brams.txt).
BLOCK_COST = 128


@dataclass(frozen=True)
class Store:
    """A memory of the core and what it is made of.

    Parameters
    ----------
    memory
        Its name, shape, and the field of `CoreConfig` that decides it.
    primitive
        What it is made of.
    """

    memory: Memory
    primitive: BlockMemory

    @property
    def name(self) -> str:
        """As the documentation calls it."""
        return self.memory.name

    @property
    def blocks(self) -> int:
        """Blocks of all copies together."""
        return self.memory.copies * self.primitive.blocks(self.memory.depth, self.memory.width)

    def __str__(self) -> str:
        depth, width = self.memory.depth, self.memory.width
        words, bits = self.primitive.shape_for(depth, width)
        copies = f"{self.memory.copies} x " if self.memory.copies > 1 else ""
        return (f"{self.name}: {copies}{depth:,} x {width} bits in {self.blocks} "
                f"{self.primitive.name} as {words:,} x {bits}")


def stores(config: CoreConfig, weights: BlockMemory, buffers: BlockMemory,
           lutram: Sequence[str] = ()) -> tuple[Store, ...]:
    """All memories of a core (`model.memories`) and what synthesis makes of them, T and R first.

    Beside DP16KD and BSRAM there are look-up tables, which Yosys takes where they are cheaper.

    Parameters
    ----------
    config
        The core.
    weights
        What T and R are made of.
    buffers
        What all others are made of that are in blocks.
    lutram
        Paths, with ``core.`` before them, of memories that are to be look-up tables.
    """
    made = []
    for memory in memories(config):
        primitive = weights if memory.path in ("engine.trits", "engine.residuals") else buffers
        cost = BLOCK_COST * primitive.blocks(memory.depth, memory.width)
        tables = LUTRAM_LUTS * LUTRAM.blocks(memory.depth, memory.width)
        if f"core.{memory.path}" in lutram or (primitive.tables and tables <= cost):
            primitive = LUTRAM
        made.append(Store(memory, primitive))
    return tuple(made)


def check_fits(config: CoreConfig, listed: Sequence[Store], available: dict[str, int],
               where: str) -> None:
    """Refuse memories that need more blocks than there are.

    Parameters
    ----------
    config
        The core.
    listed
        Its memories.
    available
        Blocks by name, and `LUTRAM`s.
    where
        Name of the board.

    Raises
    ------
    ConfigError
        Names the field whose memory is the largest, its value and what is left for it.
    """
    for primitive in dict.fromkeys(store.primitive for store in listed):
        mine = [store for store in listed if store.primitive == primitive]
        needed, limit = sum(store.blocks for store in mine), available.get(primitive.name, 0)
        if needed > limit:
            largest = max(mine, key=lambda store: store.blocks)
            memory, left = largest.memory, max(0, limit - needed + largest.blocks)
            advice = ("lower --hidden or choose other --lanes" if memory.field not in OPTIONS else
                      f"lower --{memory.field.replace('_', '-')} or leave it away")
            raise ConfigError(
                f"{memory.field} {getattr(config, memory.field)} does not fit on {where}: "
                f"{memory.copies} x {memory.depth} words of {memory.width} bits take "
                f"{largest.blocks} {primitive.name}, and {left} of {limit} are left for "
                f"them; {advice}")


def core_config(networks: Sequence[Sequence[int]], weights: BlockMemory, *, lanes: int,
                banks: int, update_lanes: int, counter_bits: int = 8,
                **options: int | bool) -> CoreConfig:
    """The smallest configuration that holds each of some networks.

    Parameters
    ----------
    networks
        Inputs, hidden sizes and classes of each.
    weights
        What T and R are made of; their depths fill the blocks they take.
    lanes, banks, update_lanes, counter_bits
        As in `CoreConfig`.
    options
        Any other field of `CoreConfig`, to set it by hand.

    Raises
    ------
    ConfigError
        No network, one without layers, or a value that `CoreConfig` refuses.
    """
    shapes = [tuple(network) for network in networks]
    if not shapes or any(len(shape) < 2 for shape in shapes):
        raise ConfigError(f"a network needs inputs and classes, not {shapes!r}")
    for shape in shapes:
        if min(shape) < 1:
            raise ConfigError(f"layers must have at least 1 neuron, not {min(shape)} as in "
                              f"{'-'.join(map(str, shape))}")
    probe = CoreConfig(lanes=lanes, banks=banks, update_lanes=update_lanes,
                       counter_bits=counter_bits)
    steps, parts = lanes // update_lanes, int(options.get("update_rows", 1))

    def largest(words: list[int]) -> int:
        return max(1, *words)

    layers = [list(zip(shape, shape[1:], strict=False)) for shape in shapes]
    image = int(options.get("conv_rows", 0)) * int(options.get("conv_channels", 1)) * lanes
    front = max(ceil_div(shape[0], lanes) for shape in shapes) if image else 0  # activations
    chosen: dict[str, int | bool] = {
        "max_layers": max(3, *(len(pairs) for pairs in layers)),
        "max_inputs": max(image, *(shape[0] for shape in shapes)),
        "max_neurons": max(int(options.get("max_classes", 0)),
                           *(max(shape[1:]) for shape in shapes)),
        "max_classes": max(shape[-1] for shape in shapes),
        "trit_depth": weights.filled(
            largest([sum(ceil_div(f, lanes) * ceil_div(n, banks) for f, n in pairs)
                     for pairs in layers]), 2 * lanes),
        "residual_depth": parts * weights.filled(
            largest([sum(ceil_div(f, lanes) * steps * ceil_div(n, parts) for f, n in pairs)
                     for pairs in layers]), update_lanes * probe.residual_bits),
        "hidden_depth": front + largest([sum(ceil_div(n, lanes) for n in shape[1:-1])
                                         for shape in shapes]),
        "input_planes": 4,
        "program_depth": 32,
        "slot_bytes": 512,
        "seeder": False,
    }
    chosen.update(options)
    return CoreConfig(lanes=lanes, banks=banks, update_lanes=update_lanes,
                      counter_bits=counter_bits, **chosen)  # type: ignore[arg-type]
