"""The parameter object that makes both the golden model and the hardware.

All sizes are counts unless a unit is named. ``L``, ``R`` and ``U`` of the documentation are
`lanes`, `banks` and `update_lanes`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from ..option import Option, with_options
from ..units import registry
from ..units.skip import MAX_SKIP

__all__ = ["EXCLUDED_FORMS", "FORMS", "LIMITS", "MAX_SKIP", "CoreConfig", "ceil_div"]

#: Least and most of the numbers that every core has.
LIMITS = {
    "lanes": (1, 256), "banks": (1, 256), "update_lanes": (1, 256),
    "counter_bits": (6, 14), "activation_bits": (1, 8), "input_planes": (1, 8),
    "max_layers": (1, 15), "max_inputs": (1, 65535), "max_neurons": (2, 65535),
    "max_classes": (2, 256), "trit_depth": (1, 65536), "residual_depth": (1, 65536),
    "hidden_depth": (1, 65536), "program_depth": (4, 256), "slot_bytes": (64, 32768),
    "drain": (1, 2), "update_rows": (1, 4), "store": (0, 2), "store_bits": (0, 26),
    "store_shift": (0, 7), "store_rows": (0, 255), "store_columns": (0, 255),
    "store_planes": (0, 8),
}
#: Forms that every core may take beside its units: a field, and the value that is not the default.
FORMS = {"single_port": True, "pipelined": True, "drain": 2, "update_rows": 2}
#: Forms that do not go together, and why.
EXCLUDED_FORMS = {
    ("pipelined", "single_port"):
        "one port would be read and written at different times in different banks",
    ("update_rows", "single_port"):
        "an update would read every other cycle",
    ("update_rows", "trainable"):
        "without an update unit there is nothing to update",
}


def ceil_div(a: int, b: int) -> int:
    """The quotient of two non-negative integers, rounded up."""
    return -(-a // b)


def _power_of_two_above(n: int, least: int) -> int:
    return max(least, 1 << max(0, n - 1).bit_length())


@dataclass(frozen=True)
@with_options(registry.OPTIONS.values())
class CoreConfig:
    """Everything that is fixed when a core is made.

    The fields of optional units follow those that every core has; they come from the units' records
    (`tritgrad.units`).

    Parameters
    ----------
    lanes
        L, inputs of a bank a cycle; a T word holds L trits.
    banks
        R, neurons computed at once; row j lives in bank j mod R.
    update_lanes
        U, counters updated a cycle; divides L. An R word holds U residuals.
    counter_bits
        b, bits of a weight's counter, 6 to 14.
    activation_bits
        a, bits of a hidden activation, 1 to 8.
    input_planes
        Most bit planes an input sample may have, 1 to 8.
    max_layers
        Rows of the layer table.
    max_inputs
        Most inputs of the first layer.
    max_neurons
        Most neurons of any layer.
    max_classes
        Most neurons of the last layer, at most 256.
    trit_depth
        T words a bank.
    residual_depth
        R words.
    hidden_depth
        Words of L activations for all hidden layers together.
    program_depth
        Instructions.
    slot_bytes
        Bytes of a receive slot: one frame with its header, without its CRC. A power of two.
    seeder
        Whether the SplitMix64 seeder of the PRNG is built in.
    single_port
        Whether T and R have one port for reads and writes, as SPRAM has: an update takes two
        cycles for each U inputs instead of one, all else is as fast.
    pipelined
        Whether words of T and what they are multiplied by are handed on from four banks to the next
        four, as many blocks side by side need: with n fours, a layer takes n + 1 cycles more, and a
        pass of the update unit 2 n + 1. Not with `single_port`.
    drain
        Sums of a hidden layer that leave the array a cycle, 1 or 2; 2 needs even `lanes` and
        `banks`.
    update_rows
        Rows that are updated at once, 1, 2 or 4; divides `banks`. Each has lanes and a part of R of
        its own: row j is in part j mod `update_rows`. Not with `single_port`.
    store
        The memory beside it that holds samples, a `firmware.store.Kind`: 0 none, 1 a RAM of 16-bit
        words, 2 a serial flash.
    store_bits
        2^store_bits words, or bytes of a flash, are in it.
    store_shift
        Pixels by which images that a RAM holds can be shifted on their way to the core, 0 to 7; 0
        is without. All of store_rows, store_columns and store_planes are given with it, and are the
        convolution's, of one channel, if there is one.
    store_rows
        Most rows of such an image.
    store_columns
        Most columns of such an image, at most lanes.
    store_planes
        Most bits of a pixel of such an image.

    Raises
    ------
    ConfigError
        Names the field, its value and what is allowed.
    """

    lanes: int = 16
    banks: int = 16
    update_lanes: int = 16
    counter_bits: int = 8
    activation_bits: int = 4
    input_planes: int = 8
    max_layers: int = 4
    max_inputs: int = 1024
    max_neurons: int = 256
    max_classes: int = 32
    trit_depth: int = 1024
    residual_depth: int = 16384
    hidden_depth: int = 64
    program_depth: int = 32
    slot_bytes: int = 4096
    seeder: bool = True
    single_port: bool = False
    pipelined: bool = False
    drain: int = 1
    update_rows: int = 1
    store: int = 0
    store_bits: int = 0
    store_shift: int = 0
    store_rows: int = 0
    store_columns: int = 0
    store_planes: int = 0

    if TYPE_CHECKING:
        def __init__(self, **fields: int) -> None: ...

    def __post_init__(self) -> None:
        for name, option in _FIELDS.items():
            if (fault := option.fault(getattr(self, name))) is not None:
                raise ConfigError(fault)
        for name, other in EXCLUDED_FORMS:
            if all(getattr(self, field) != self.default(field) for field in (name, other)):
                raise ConfigError(f"{name} must be {self.default(name)!r} where {other} is "
                                  f"{getattr(self, other)!r}")
        for name in "lanes", "banks":
            if getattr(self, name) % self.drain:
                raise ConfigError(f"drain must be 1 where {name} is odd "
                                  f"({getattr(self, name)}), not {self.drain!r}")
        if self.lanes % self.update_lanes:
            raise ConfigError(
                f"update_lanes must divide lanes ({self.lanes}), not {self.update_lanes!r}")
        if self.update_rows != 1:
            self._check_update_rows()
        if (self.store == 0) != (self.store_bits == 0):
            raise ConfigError(f"store_bits must be {'0' if self.store == 0 else 'above 0'} where "
                              f"store is {self.store!r}, not {self.store_bits!r}")
        registry.check(self)
        self._check_images()
        if self.slot_bytes & (self.slot_bytes - 1):
            raise ConfigError(f"slot_bytes must be a power of two, not {self.slot_bytes!r}")
        if self.max_classes > self.max_neurons:
            raise ConfigError(
                f"max_classes must be at most max_neurons ({self.max_neurons}), "
                f"not {self.max_classes!r}")

    def _check_images(self) -> None:
        """What a core that shifts images must have, and one that does not must not."""
        limits = {"store_rows": 255, "store_columns": min(255, self.lanes),
                  "store_planes": self.input_planes}
        if not self.store_shift:
            limits = dict.fromkeys(limits, 0)
        elif others := [pair for pair in (("store", 1), ("skip", False), ("conv_channels", 1))
                        if getattr(self, pair[0]) != pair[1]]:
            name, other = others[0]
            raise ConfigError(f"{name} must be {other!r} where store_shift is "
                              f"{self.store_shift!r}, not {getattr(self, name)!r}")
        low = 1 if self.store_shift else 0
        for name, high in limits.items():
            value, conv = getattr(self, name), name.replace("store", "conv")
            if self.store_shift and registry.takes(self, "front"):
                low = high = getattr(self, conv)
            if not low <= value <= high:
                must = high if low == high else f"an integer from {low} to {high}"
                raise ConfigError(f"{name} must be {must} where store_shift is "
                                  f"{self.store_shift!r}, not {value!r}")

    def _check_update_rows(self) -> None:
        rows = self.update_rows
        if rows == 3 or self.banks % rows:
            raise ConfigError(f"update_rows must be 1, or 2 or 4 and divide banks ({self.banks}), "
                              f"not {rows!r}")

    def changed(self, **changes: Any) -> "CoreConfig":
        """The configuration with some fields changed."""
        return replace(self, **changes)

    @classmethod
    def default(cls, name: str) -> int:
        """The value that a field has where none is given."""
        return getattr(cls, name)

    @property
    def total_lanes(self) -> int:
        """R * L."""
        return self.banks * self.lanes

    @property
    def steps(self) -> int:
        """L / U, the update steps of a T word."""
        return self.lanes // self.update_lanes

    @property
    def chunks(self) -> int:
        """Chunks of 16 inputs, those of a direction, that a T word has a part in."""
        return max(1, self.lanes // 16)

    @property
    def residual_bits(self) -> int:
        """b - 2, the bits of a counter that memory R holds."""
        return self.counter_bits - 2

    @property
    def word_bits(self) -> int:
        """Planes of the widest activation word: input or hidden."""
        return max(self.input_planes, self.activation_bits)

    @property
    def max_fan_in(self) -> int:
        """Most inputs of any layer."""
        return max(self.max_inputs, self.max_neurons)

    @property
    def lays_images(self) -> bool:
        """Whether the store may have images in rows of L inputs that DATA has without gaps."""
        return self.store_shift > 0 and not registry.takes(self, "front")

    @property
    def max_stored_inputs(self) -> int:
        """Most inputs of a sample of DATA or of a record: images have L for each row there."""
        return max(self.max_inputs, self.store_rows * self.lanes)

    @property
    def max_input_words(self) -> int:
        """Words of L inputs that a sample buffer holds."""
        return ceil_div(self.max_inputs, self.lanes)

    @property
    def max_words(self) -> int:
        """Most words of L inputs of any layer."""
        return ceil_div(self.max_fan_in, self.lanes)

    @property
    def output_words(self) -> int:
        """Words of L neurons of all layers together."""
        return self.hidden_depth + ceil_div(self.max_classes, self.lanes)

    @property
    def sum_depth(self) -> int:
        """Rows that may have a sum: neurons of all layers, whole words of L a layer."""
        return self.output_words * self.lanes

    @property
    def support_depth(self) -> int:
        """Row groups that may have a word of SUPPORT, a bit for each of `max_words`."""
        return ceil_div(self.output_words * self.lanes, self.banks) + self.max_layers

    @property
    def support_word_bytes(self) -> int:
        """Bytes of a SUPPORT word (max_words bits) on the link."""
        return ceil_div(self.max_words, 8)

    @property
    def score_bits(self) -> int:
        """Bits of a signed pre-activation that can never wrap, whatever the layer table says.

        A scale is at most 2; a skip connection counts as 2^`MAX_SKIP` inputs more.
        """
        hidden = self.max_neurons + (self.skip << MAX_SKIP)
        largest = max(self.max_inputs * (2**self.input_planes - 1),
                      hidden * (2**self.activation_bits - 1))
        return largest.bit_length() + 1 + self.scales

    @property
    def scale_depth(self) -> int:
        """Words of memory S: one for each neuron, in the order of words of L, and the step."""
        return self.output_words * self.lanes + 1

    @property
    def table_rows(self) -> int:
        """Rows of the layer table in the core: one more where a layer stands in front."""
        return self.max_layers + registry.takes(self, "front")

    @property
    def max_payload(self) -> int:
        """Most payload bytes of a frame (a slot less the four header bytes)."""
        return self.slot_bytes - 4

    @property
    def trit_word_bytes(self) -> int:
        """Bytes of a T word (2 * L bits) on the link."""
        return ceil_div(2 * self.lanes, 8)

    @property
    def residual_word_bytes(self) -> int:
        """Bytes of an R word (U * (b - 2) bits) on the link."""
        return ceil_div(self.update_lanes * self.residual_bits, 8)

    @property
    def scale_word_bytes(self) -> int:
        """Bytes of an S word on the link: 48 bits of corr, then the code of the factor."""
        return 7

    @classmethod
    def for_network(cls, layers: Sequence[int], planes: int, **options: int) -> "CoreConfig":
        """The smallest standard configuration that a network fits.

        Depths are rounded up generously, so that most networks share one compiled core.

        Parameters
        ----------
        layers
            Inputs, hidden sizes, classes: at least two numbers.
        planes
            Bit planes of the input.
        options
            Any field of `CoreConfig` to set by hand.
        """
        sizes = list(layers)
        if len(sizes) < 2:
            raise ConfigError(f"a network needs inputs and classes, not {sizes!r}")
        probe = cls(**{name: value for name, value in options.items()
                       if name in ("lanes", "banks", "update_lanes", "counter_bits")})
        lanes, banks = probe.lanes, probe.banks
        trits = sum(ceil_div(f, lanes) * ceil_div(n, banks)
                    for f, n in zip(sizes, sizes[1:], strict=False))
        residuals = sum(ceil_div(f, lanes) * probe.steps * n
                        for f, n in zip(sizes, sizes[1:], strict=False))
        hidden = sum(ceil_div(n, lanes) for n in sizes[1:-1])
        inputs = sizes[0]
        if rows := options.get("conv_rows", 0):  # an image is in lanes of its own
            hidden += ceil_div(sizes[0], lanes)
            inputs = max(inputs, rows * options.get("conv_channels", 1) * lanes)
        input_planes = 4 if planes <= 4 else 8
        sample_bytes = 1 + input_planes * ceil_div(inputs, 8)
        chosen: dict[str, int] = {
            "input_planes": input_planes,
            "max_layers": max(4, len(sizes) - 1),
            "max_inputs": _power_of_two_above(inputs, 1024),
            "max_neurons": _power_of_two_above(max(sizes[1:]), 256),
            "max_classes": _power_of_two_above(sizes[-1], 32),
            "trit_depth": _power_of_two_above(trits, 1024),
            "residual_depth": _power_of_two_above(residuals, 16384),
            "hidden_depth": _power_of_two_above(hidden, 64),
            "slot_bytes": _power_of_two_above(5 + 4 * sample_bytes, 4096),
        }
        chosen.update(options)
        return cls(**chosen)


#: All fields as options, for their checks.
_FIELDS = {field.name: registry.OPTIONS.get(field.name) or Option(
    field.name, default=field.default, limits=LIMITS.get(field.name))
    for field in fields(CoreConfig)}
