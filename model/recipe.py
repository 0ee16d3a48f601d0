"""A recipe: every number that decides what a run computes, besides the data.

Layers are numbered from 1 in the specification; tuples here start with layer 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import index

from ..errors import BadInput
from .blending.pruning import Pruning
from .config import MAX_SKIP
from .convolution.shape import Convolution
from .rng import check_seed

__all__ = ["MIN_GAIN", "Recipe"]

#: Least gain exponent: a draw has 16 bits, and one of them decides no rounding.
MIN_GAIN = -15


def _half_log2(n: int) -> int:
    """floor(floor(log2 n) / 2): the exponent of about the square root of n."""
    return (n.bit_length() - 1) // 2


@dataclass(frozen=True)
class Recipe:
    """Network, formats and hyperparameters of the margin rule.

    Parameters
    ----------
    layers
        Inputs, hidden sizes, classes: at least two numbers from 1 to 65,535; at least 2 classes.
    counter_bits
        b, 6 to 14.
    activation_bits
        a, bits of a hidden activation, 1 to 8.
    planes
        p, bits of an input, 1 to 8.
    gains
        g, the gain exponent of each layer at the start, -15 to b - 2.
    shifts
        S, the right shift of each hidden layer's activation, 0 to 31.
    margin
        M, 1 to 2^23 - 1.
    epochs
        E, at least 1.
    seed
        0 to 2^64 - 1.
    scale_refresh
        r, 0 to 31: the rows have scales, divided anew every 2^r samples learned; None: no scales.
    conserve
        Whether an update leaves the sum of each row's trits as it is mod 3, see `units.update`.
    prune
        When the run purges the support of its granules, and how much; None: never.
    skip
        S, 0 to 7: hidden layers with as many neurons as inputs, from the second on, add their
        inputs times 2^S to their pre-activations (`arithmetic.skipped`); None: none does.
    floor
        The gain exponent below which the first layer's never goes, -15 to 0; None: min(0, g_1).
    conv
        The convolution whose outputs are the first layer's inputs; None: they are the sample. Not
        with `scale_refresh`, `conserve`, `prune` or `skip`.
    wrong
        What a sample whose prediction is not its label adds to the gain exponents of the layers, 0
        or 1; behind a convolution only.

    Raises
    ------
    BadInput
        Names the field, its value and what is allowed.
    """

    layers: tuple[int, ...]
    counter_bits: int
    activation_bits: int
    planes: int
    gains: tuple[int, ...]
    shifts: tuple[int, ...]
    margin: int
    epochs: int
    seed: int
    scale_refresh: int | None = None
    conserve: bool = False
    prune: Pruning | None = None
    skip: int | None = None
    floor: int | None = None
    conv: Convolution | None = None
    wrong: int = 0

    def __post_init__(self) -> None:
        for name in ("layers", "gains", "shifts"):
            object.__setattr__(self, name, _integers(name, getattr(self, name)))
        for name, low, high in (("counter_bits", 6, 14), ("activation_bits", 1, 8),
                                ("planes", 1, 8), ("margin", 1, 2**23 - 1),
                                ("epochs", 1, 2**31 - 1)):
            object.__setattr__(self, name, _integer(name, getattr(self, name), low, high))
        object.__setattr__(self, "seed", check_seed(self.seed))
        if self.scale_refresh is not None:
            _integer("scale_refresh", self.scale_refresh, 0, 31)
        if self.floor is not None:
            object.__setattr__(self, "floor", _integer("floor", self.floor, MIN_GAIN, 0))
        if not isinstance(self.conserve, bool):
            raise BadInput(f"conserve must be a bool, not {self.conserve!r}")
        _check_layers(self.layers)
        if self.skip is not None:
            self._check_skip(self.skip)
        for name, values, count, low, high in (
                ("gains", self.gains, self.depth, MIN_GAIN, self.counter_bits - 2),
                ("shifts", self.shifts, self.depth - 1, 0, 31)):
            if len(values) != count:
                raise BadInput(f"{name} of {self.depth} layers must be {count} integers, "
                               f"not {values!r}")
            if not all(low <= v <= high for v in values):
                raise BadInput(f"{name} must be from {low} to {high}, not {values!r}")
        self._check_conv()

    def _check_conv(self) -> None:
        conv = self.conv
        if isinstance(conv, Mapping):  # out of a model file
            object.__setattr__(self, "conv", conv := Convolution(**conv))
        object.__setattr__(self, "wrong", _integer("wrong", self.wrong, 0, 1))
        if conv is None:
            if self.wrong:
                raise BadInput(f"wrong must be 0 where there is no convolution, not {self.wrong!r}")
            return
        if (self.layers[0], self.planes) != (conv.outputs, conv.bits):
            raise BadInput(f"layers must begin with the convolution's {conv.outputs} outputs of "
                           f"{conv.bits} bits, not with {self.layers[0]} inputs of {self.planes}")
        for name in ("scale_refresh", "prune", "skip", "conserve"):
            value = getattr(self, name)
            if value is not None and value is not False:
                raise BadInput(f"{name} must be left away behind a convolution, not {value!r}")
        if max(self.gains) + self.wrong > self.counter_bits - 2:
            raise BadInput(f"gains must be at most {self.counter_bits - 2 - self.wrong} where "
                           f"wrong samples add {self.wrong}, not {self.gains!r}")

    def _check_skip(self, skip: int) -> None:
        object.__setattr__(self, "skip", _integer("skip", skip, 0, MAX_SKIP))
        if not any(self.skips):
            raise BadInput(f"skip must be left away where no hidden layer has as many neurons as "
                           f"the one below it, as in {self.layers!r}")

    @property
    def depth(self) -> int:
        """N, the number of layers of weights."""
        return len(self.layers) - 1

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """(outputs, inputs) of each layer."""
        return list(zip(self.layers[1:], self.layers, strict=False))

    @property
    def sample(self) -> tuple[int, int]:
        """Numbers of a sample, and their bits."""
        if self.conv is not None:
            return self.conv.inputs, self.conv.planes
        return self.layers[0], self.planes

    @property
    def stored(self) -> list[tuple[tuple[int, int], int]]:
        """Shape and bits of each array of counters: kernels, if there are some, then layers."""
        layers = [(shape, self.counter_bits) for shape in self.shapes]
        if self.conv is None:
            return layers
        return [((self.conv.kernels, self.conv.taps), self.conv.counter_bits), *layers]

    @property
    def skips(self) -> tuple[int, ...]:
        """Of each layer 1 + S if it has a skip connection, else 0."""
        given = 0 if self.skip is None else self.skip + 1
        return tuple(given if 0 < n < self.depth - 1 and inputs == outputs else 0
                     for n, (outputs, inputs) in enumerate(self.shapes))

    @classmethod
    def default(cls, layers: Sequence[int], planes: int, counter_bits: int = 8,
                activation_bits: int = 4, epochs: int = 20, seed: int = 1,
                margin: int | None = None, gain: int | None = None,
                output_gain: int | None = None,
                shifts: Sequence[int] | None = None,
                scale_refresh: int | None = None, conserve: bool = False,
                prune: Pruning | None = None, skip: int | None = None,
                floor: int | None = None, conv: Convolution | None = None,
                wrong: int = 0) -> "Recipe":
        """The recipe that follows from a network's sizes, except for what is given.

        Parameters
        ----------
        gain
            Gain exponent of every layer but the last. A network of one layer takes it too,
            unless `output_gain` is given.
        output_gain
            Gain exponent of the last layer.
        """
        _check_layers(sizes := _integers("layers", layers))
        depth = len(sizes) - 1
        widths = [planes, *[activation_bits] * (depth - 1)]
        gains = [counter_bits - 7 - n for n in widths]
        if gain is not None:
            gains[:max(1, depth - 1)] = [gain] * max(1, depth - 1)
        if output_gain is not None:
            gains[-1] = output_gain
        if shifts is None:
            shifts = [max(0, n - 4 + _half_log2(f))
                      for n, f in zip(widths[:-1], sizes, strict=False)]
        if margin is None:
            margin = 4 << _half_log2(sizes[-2])
        return cls(sizes, counter_bits, activation_bits, planes, tuple(gains), tuple(shifts),
                   margin, epochs, seed, scale_refresh, conserve, prune, skip, floor, conv, wrong)

    @property
    def floors(self) -> tuple[int, ...]:
        """The gain exponents below which the schedule never goes."""
        first, *others = self.gains
        lowest = min(0, first) if self.floor is None else min(self.floor, first)
        return (lowest, *[max(MIN_GAIN, g - 2) for g in others])

    def gains_in(self, epoch: int) -> tuple[int, ...]:
        """The gain exponents in force in an epoch (from 0): halved at 40 % and 70 % of the run."""
        halvings = 0 if 5 * epoch < 2 * self.epochs else 1 if 10 * epoch < 7 * self.epochs else 2
        return tuple(max(g - halvings, floor)
                     for g, floor in zip(self.gains, self.floors, strict=True))


def _integer(name: str, value: int, low: int, high: int) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or not low <= value <= high:
        raise BadInput(f"{name} must be an integer from {low} to {high}, not {value!r}")
    return index(value)


def _integers(name: str, values: Sequence[int]) -> tuple[int, ...]:
    try:
        return tuple(index(v) for v in values)
    except TypeError:
        raise BadInput(f"{name} must be a sequence of integers, not {values!r}") from None


def _check_layers(sizes: tuple[int, ...]) -> None:
    if len(sizes) < 2 or not all(1 <= n <= 65535 for n in sizes):
        raise BadInput(f"layers must be inputs, hidden sizes and classes, at least two numbers "
                       f"from 1 to 65535, not {sizes!r}")
    if sizes[-1] < 2:
        raise BadInput(f"layers must end with at least 2 classes, not {sizes[-1]!r}")
