"""Activation words in the lists that forward pass and update replay."""

from amaranth import *
from amaranth.lib import data

from ...model.config import CoreConfig

__all__ = ["Entry", "plane_mask"]


class Entry(data.StructLayout):
    """A non-zero activation word: its position, which planes are not zero, and the planes.

    Lane i of plane p is bit ``p * L + i`` of ``planes``.
    """

    def __init__(self, config: CoreConfig, planes: int, words: int):
        super().__init__({
            "index": range(words),
            "mask": planes,
            "planes": planes * config.lanes,
        })


def plane_mask(planes: Value, lanes: int) -> Value:
    """A bit a plane of `lanes` bits: whether the plane has a set bit."""
    return Cat(planes[n:n + lanes].any() for n in range(0, len(planes), lanes))
