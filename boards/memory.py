"""Block memories: the shapes they come in, and how many a core's stores take."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ConfigError
from ..model.config import CoreConfig, ceil_div

__all__ = ["BSRAM", "DP16KD", "EBR", "SPRAM", "BlockMemory", "Store", "check_fits", "core_config",
           "stores"]


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
    """

    name: str
    shapes: tuple[tuple[int, int], ...]
    masked: bool = False

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
    (512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)))
#: Gowin, semi dual port (Gowin UG285).
BSRAM = BlockMemory("BSRAM", (
    (512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)))
#: iCE40 (Lattice FPGA-TN-02002).
EBR = BlockMemory("EBR", ((256, 16), (512, 8), (1024, 4), (2048, 2)))
#: iCE40 UltraPlus, one port (Lattice FPGA-TN-02022); deeper than a block by its masks for nibbles.
SPRAM = BlockMemory("SPRAM", ((16384, 16), (32768, 8), (65536, 4)), masked=True)


@dataclass(frozen=True)
class Store:
    """A memory of the core that is always made of blocks.

    Parameters
    ----------
    name
        As the documentation calls it.
    field
        The field of `CoreConfig` that sets its depth.
    copies
        Memories of this shape, side by side.
    depth
        Words.
    width
        Bits a word.
    primitive
        What it is made of.
    """

    name: str
    field: str
    copies: int
    depth: int
    width: int
    primitive: BlockMemory

    @property
    def blocks(self) -> int:
        """Blocks of all copies together."""
        return self.copies * self.primitive.blocks(self.depth, self.width)

    def __str__(self) -> str:
        words, bits = self.primitive.shape_for(self.depth, self.width)
        copies = f"{self.copies} x " if self.copies > 1 else ""
        return (f"{self.name}: {copies}{self.depth:,} x {self.width} bits in {self.blocks} "
                f"{self.primitive.name} as {words:,} x {bits}")


def stores(config: CoreConfig, weights: BlockMemory, buffers: BlockMemory) -> tuple[Store, ...]:
    """T, R, S, a skip's activations and the receive slots of a core, as far as it has them.

    Parameters
    ----------
    config
        The core.
    weights
        What T and R are made of.
    buffers
        What all others are made of.
    """
    residuals = Store("R (residuals)", "residual_depth", 1, config.residual_depth,
                      config.update_lanes * config.residual_bits, weights)
    return (
        Store("T (trits)", "trit_depth", config.banks, config.trit_depth, 2 * config.lanes,
              weights),
        *([residuals] if config.trainable else []),
        *([Store("S (scales)", "scale_depth", 1, config.scale_depth, 8 * config.scale_word_bytes,
                 buffers)] if config.scales else []),
        *([Store("activations (skip)", "hidden_depth", 1, config.hidden_depth,
                 config.activation_bits * config.lanes, buffers)] if config.skip else []),
        Store("receive slots", "slot_bytes", 1, 2 * config.slot_bytes, 8, buffers),
    )


def check_fits(listed: Sequence[Store], available: dict[str, int], where: str) -> None:
    """Refuse memories that need more blocks than there are.

    Small memories beside them may or may not become blocks; only place and route can tell.

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
            left = max(0, limit - needed + largest.blocks)
            raise ConfigError(
                f"{largest.field} {largest.depth} does not fit on {where}: {largest.copies} x "
                f"{largest.depth} words of {largest.width} bits take {largest.blocks} "
                f"{primitive.name}, and {left} of {limit} are left for "
                f"them; lower --hidden or choose other --lanes")


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
    steps = lanes // update_lanes

    def largest(words: list[int]) -> int:
        return max(1, *words)

    layers = [list(zip(shape, shape[1:], strict=False)) for shape in shapes]
    chosen: dict[str, int | bool] = {
        "max_layers": max(3, *(len(pairs) for pairs in layers)),
        "max_inputs": max(shape[0] for shape in shapes),
        "max_neurons": max(int(options.get("max_classes", 0)),
                           *(max(shape[1:]) for shape in shapes)),
        "max_classes": max(shape[-1] for shape in shapes),
        "trit_depth": weights.filled(
            largest([sum(ceil_div(f, lanes) * ceil_div(n, banks) for f, n in pairs)
                     for pairs in layers]), 2 * lanes),
        "residual_depth": weights.filled(
            largest([sum(ceil_div(f, lanes) * steps * n for f, n in pairs)
                     for pairs in layers]), update_lanes * probe.residual_bits),
        "hidden_depth": largest([sum(ceil_div(n, lanes) for n in shape[1:-1])
                                 for shape in shapes]),
        "input_planes": 4,
        "program_depth": 32,
        "slot_bytes": 512,
        "seeder": False,
    }
    chosen.update(options)
    return CoreConfig(lanes=lanes, banks=banks, update_lanes=update_lanes,
                      counter_bits=counter_bits, **chosen)  # type: ignore[arg-type]
