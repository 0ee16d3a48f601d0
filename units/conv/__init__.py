"""A convolution in front of the network: kernels of trits over images, trained by the same rule
(`model.convolution`)."""

from dataclasses import dataclass

from ...firmware import programs
from ...firmware.frames import Space
from ...firmware.isa import Op
from ..record import Config, Memory, Option, Unit, Window, bits_of

__all__ = ["CONV", "Sizes", "sizes_of"]


@dataclass(frozen=True)
class Sizes:
    """Numbers that are fixed when the unit is made; images may be smaller, kernels fewer.

    Parameters
    ----------
    lanes
        L, of a word of outputs; a word of samples is a row of an image.
    rows, columns
        Of an image, at most.
    kernel, pool
        k and P, exactly.
    planes, bits
        Bits of a pixel, at most, and of an output.
    kernels
        F, at most.
    at_once
        Q, kernels that go through an image together; divides `kernels` and `lanes`.
    counter_bits
        Of the kernels' counters.
    channels
        C, images one over the other that a kernel sees, exactly.
    together
        Taps of a kernel that move in a cycle, a power of two that divides them.
    """

    lanes: int
    rows: int
    columns: int
    kernel: int
    pool: int
    planes: int
    kernels: int
    at_once: int
    bits: int
    counter_bits: int
    channels: int = 1
    together: int = 1

    @property
    def side(self) -> int:
        """Rows and columns of pixels that a window sees: of P x P places of a kernel."""
        return self.kernel + self.pool - 1

    @property
    def taps(self) -> int:
        """Trits of a kernel."""
        return self.channels * self.kernel ** 2

    @property
    def row_bits(self) -> int:
        """Of a row of pixels of all channels."""
        return self.channels * self.columns * self.planes

    @property
    def line_bits(self) -> int:
        """Of a row of a window, of all channels."""
        return self.channels * self.side * self.planes

    @property
    def places(self) -> int:
        """Places of a kernel in a window."""
        return self.pool ** 2

    @property
    def place_bits(self) -> int:
        """Of a place's number."""
        return max(1, (self.places - 1).bit_length())

    @property
    def windows(self) -> tuple[int, int]:
        """Rows and columns of windows."""
        rows, columns = ((n - self.kernel + 1) // self.pool for n in (self.rows, self.columns))
        return rows, columns

    @property
    def groups(self) -> int:
        """Groups of Q kernels."""
        return self.kernels // self.at_once

    @property
    def skips(self) -> bool:
        """Whether a blank window is gone through in one step: where that is faster, and where its
        outputs lie in one word."""
        return (self.groups > self.pool + 2
                and self.lanes // self.at_once % self.groups == 0)

    @property
    def outputs(self) -> int:
        """D, outputs of the largest image."""
        rows, columns = self.windows
        return rows * columns * self.kernels

    @property
    def words(self) -> int:
        """Words of L outputs."""
        return -(-self.outputs // self.lanes)

    @property
    def sum_bits(self) -> int:
        """Of a tap's sum over all windows, signed and exact."""
        rows, columns = self.windows
        return (rows * columns * ((1 << self.planes) - 1)).bit_length() + 1


#: Options beside the first one: least and most, what tests build, and what it is.
NUMBERS = {
    "conv_rows": (1, 255, 5, "Let images have up to N rows."),
    "conv_columns": (1, 255, 4, "Let images have up to N columns, at most lanes."),
    "conv_kernel": (1, 7, 2, "Let kernels have N rows and columns of trits."),
    "conv_pool": (1, 3, 2, "Keep the greatest sum of N x N places."),
    "conv_planes": (1, 4, 2, "Let pixels have up to N bits."),
    "conv_at_once": (1, 64, 2, "Work on N kernels a cycle; divides kernels and lanes."),
    "conv_bits": (1, 4, 2, "Let its outputs have N bits."),
    "conv_counter_bits": (8, 14, 9, "Let its counters have N bits."),
}


def _numbers(config: Config) -> str | None:
    for field, (low, high, *_) in NUMBERS.items():
        if not low <= (value := getattr(config, field)) <= high:
            return (f"{field} must be an integer from {low} to {high} where conv_kernels is "
                    f"{config.conv_kernels!r}, not {value!r}")
    return None


def _sides(c: Config) -> str | None:
    side = c.conv_kernel + c.conv_pool - 1
    for field in ("conv_rows", "conv_columns"):
        if getattr(c, field) < side:
            return (f"{field} must be at least {side} where conv_kernel is {c.conv_kernel} and "
                    f"conv_pool is {c.conv_pool}, not {getattr(c, field)!r}")
    if c.conv_columns > c.lanes:
        return f"conv_columns must be at most lanes ({c.lanes}), not {c.conv_columns!r}"
    if c.conv_rows * c.conv_columns > 4096:
        return (f"conv_rows must be at most {4096 // c.conv_columns} where conv_columns is "
                f"{c.conv_columns}, not {c.conv_rows!r}")
    return None


def _groups(c: Config) -> str | None:
    for field in ("conv_kernels", "lanes"):
        if getattr(c, field) % c.conv_at_once:
            return f"conv_at_once must divide {field} ({getattr(c, field)}), not {c.conv_at_once!r}"
    return None


def _inputs(c: Config) -> str | None:
    outputs, image = sizes_of(c).outputs, c.conv_rows * c.conv_channels * c.lanes
    if max(outputs, image) > c.max_inputs:
        return (f"max_inputs must be at least {max(outputs, image)}: the convolution has "
                f"{outputs} outputs, an image {image} inputs in rows of {c.lanes} lanes; "
                f"not {c.max_inputs!r}")
    planes = max(c.conv_planes, c.conv_bits)
    if planes > c.input_planes:
        return (f"input_planes must be at least {planes} where conv_planes is {c.conv_planes} and "
                f"conv_bits is {c.conv_bits}, not {c.input_planes!r}")
    return None


def sizes_of(c: Config) -> Sizes:
    """What the circuit of a core is made for."""
    return Sizes(
        lanes=c.lanes, rows=c.conv_rows, columns=c.conv_columns, kernel=c.conv_kernel,
        pool=c.conv_pool, planes=c.conv_planes, kernels=c.conv_kernels, at_once=c.conv_at_once,
        bits=c.conv_bits, counter_bits=c.conv_counter_bits, channels=c.conv_channels,
        together=_together(c))


def _together(c: Config) -> int:
    """No more than an update of the layers moves."""
    taps = c.conv_channels * c.conv_kernel ** 2
    return max((n for n in (2, 4) if taps % n == 0 and n <= c.update_lanes), default=1)


def _memories(c: Config) -> tuple[Memory, ...]:
    sizes, words = sizes_of(c), c.max_input_words
    deep = 2 << (words - 1).bit_length()
    entry = bits_of(range(words)) + c.input_planes * (1 + c.lanes)
    places = 2 << (-(-sizes.outputs // sizes.at_once) - 1).bit_length()
    features = "engine.inputs.features"
    return (
        Memory("images", "conv_rows", 4 << (sizes.rows - 1).bit_length(),
               sizes.columns * sizes.planes, "engine.inputs.memory", sizes.channels),
        Memory("features", "max_inputs", deep, entry, f"{features}.memory"),
        Memory("gate bits of features", "max_inputs", deep, c.lanes, f"{features}.gate_memory"),
        Memory("places of features", "conv_kernels", places, sizes.place_bits * sizes.at_once,
               f"{features}.place_memory"),
        Memory("K (kernels)", "conv_kernels", sizes.kernels * sizes.taps // sizes.together,
               sizes.counter_bits, "engine.conv.kernels.memory", sizes.together),
        Memory("trits of kernels", "conv_kernels", sizes.groups, 2 * sizes.taps,
               "engine.conv.kernels.trits", sizes.at_once),
        *((Memory("sums of kernels", "conv_kernels", sizes.kernels,
                  sizes.taps * sizes.sum_bits + 1, "engine.conv.gather.sums.memory"),
           Memory("errors of features", "max_inputs", -(-sizes.outputs // c.update_lanes),
                  2 * c.update_lanes, "engine.conv.errors.memory"))
          if c.trainable else ()),
    )


CONV = Unit(
    name="conv",
    title="with a convolution",
    options=(
        Option("conv_kernels", default=0, limits=(0, 255), trial=4,
               help="Build in a convolution of up to N kernels of trits in front of the network; "
                    "0 is without. All of --conv-... below must be given with it."),
        *(Option(field, default=0, limits=(0, high), trial=trial, help=text)
          for field, (_, high, trial, text) in NUMBERS.items()),
        Option("conv_channels", default=1, limits=(1, 4), trial=2,
               help="Let kernels see N images one over the other, exactly, {range}; "
                    "the only one that need not be given."),
    ),
    whole=True,
    excludes={
        "resident": "images have buffers of their own, in place of those of samples",
        "support": "its list is as of samples, not a mask",
        "trace": "records tell of dense layers only",
        "row_sums": "sums are of rows of T, kernels are not there",
        "scales": "rows of kernels have none",
        "skip": "its errors would be added to by the layer above",
    },
    checks=(_numbers, _sides, _groups, _inputs),
    ops=(Op.CONV, Op.KERNELS, Op.BOOST),
    circuit="ConvUnit",
    sockets=("dispatch", "window", "errors", "draws", "gain", "front", "inputs"),
    golden="Conv",
    windows=(Window(Space.K, lambda c: c.conv_kernels * sizes_of(c).taps,
                    lambda c: c.conv_counter_bits, lambda c: 2, "kernels"),),
    memories=_memories,
    record={
        "window_rows": lambda c: range(sizes_of(c).windows[0] + 1),
        "window_columns": lambda c: range(sizes_of(c).windows[1] + 1),
        "kernel_groups": lambda c: range(sizes_of(c).groups + 1),
    },
    trial_sizes={"program_depth": 24},
    trial_training=lambda rng: {"front": rng.choice(programs.CONV_FORMS),
                                "wrong": rng.randrange(2)},
    trial_programs=lambda rng, layers, samples: (programs.infer(layers, samples, front=True),),
)
