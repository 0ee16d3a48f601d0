"""Random convolutions, and images of which some are blank, full or constant."""

import random

import numpy as np

from tritgrad.model.convolution.kernels import ConvKernels
from tritgrad.model.convolution.shape import Convolution
from tritgrad.units.conv import Sizes


def random_sizes(rng: random.Random, **given) -> Sizes:
    """Sizes of a unit that is quick to simulate."""
    kernel, pool, at_once = rng.choice([1, 2, 3, 3, 5]), rng.randint(1, 3), rng.choice([1, 2, 3])
    channels = 1 if at_once * (pool * kernel) ** 2 > 150 else rng.choice([1, 2, 3, 4])
    chosen = {"kernel": kernel, "pool": pool, "at_once": at_once, "planes": rng.randint(1, 4),
              "bits": rng.randint(1, 4), "counter_bits": rng.randint(8, 14),
              "channels": channels} | given
    side = chosen["kernel"] + chosen["pool"] - 1
    chosen = {"rows": side + rng.randint(0, 6), "columns": side + rng.randint(0, 6),
              "kernels": chosen["at_once"] * rng.randint(1, 4),
              "lanes": chosen["at_once"] * rng.randint(1, 5),
              "together": rng.choice([n for n in (1, 2, 4)
                                      if chosen["channels"] * chosen["kernel"] ** 2 % n == 0]),
              } | chosen
    return Sizes(**chosen)


def random_image(rng: random.Random, sizes: Sizes) -> Convolution:
    """A convolution that a unit of these sizes can do, of a smaller image perhaps."""
    return Convolution(
        rows=rng.randint(sizes.side, sizes.rows), columns=rng.randint(sizes.side, sizes.columns),
        kernels=sizes.at_once * rng.randint(1, sizes.groups), kernel=sizes.kernel,
        pool=sizes.pool, channels=sizes.channels, planes=sizes.planes, bits=sizes.bits,
        counter_bits=sizes.counter_bits,
        shift=rng.choice([0, 0, 1, 2, 3, 15]), gain=-rng.choice([0, 1, 2, 4, 15]))


def random_pixels(rng: random.Random, conv: Convolution) -> np.ndarray:
    """Pixels (channels, rows, columns): blank, full, of one value, or some of them not 0."""
    top, shape = (1 << conv.planes) - 1, (conv.channels, conv.rows, conv.columns)
    kind = rng.randrange(5)
    if kind < 3:
        return np.full(shape, (0, top, rng.randint(0, top))[kind])
    made = np.random.default_rng(rng.getrandbits(32))
    return made.integers(0, top + 1, shape) * (made.random(shape) < (0.2, 1)[kind - 3])


def random_kernels(rng: random.Random, conv: Convolution) -> ConvKernels:
    """Kernels whose counters are anywhere; a blank one now and then."""
    kernels = ConvKernels(conv, rng.getrandbits(64))
    if rng.random() < 0.3:
        kernels.counters[rng.randrange(conv.kernels)] = 0
    return kernels


def pixel_bits(sizes: Sizes, pixels: np.ndarray) -> list[int]:
    """Each row of an image (channels, rows, columns) as the unit's walk reads it."""
    pixels = pixels.reshape(sizes.channels, -1, pixels.shape[-1])
    return [sum(int(v) << (c * sizes.columns + n) * sizes.planes
                for c, row in enumerate(rows) for n, v in enumerate(row))
            for rows in pixels.swapaxes(0, 1)]


def codes(counters: np.ndarray, bits: int) -> list[int]:
    """The trits of each kernel as one number, two bits a tap."""
    return [sum((int(c) >> (bits - 2) & 3) << 2 * t for t, c in enumerate(row))
            for row in counters]
