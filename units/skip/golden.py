"""The skip connections of the reference machine."""

from ...model.arithmetic import skipped
from ..part import IntArray, Part

__all__ = ["Skip"]


class Skip(Part):
    """Adds shifted inputs to a layer's sums, and shifted errors to those of the layer below."""

    def stage(self, number: int, sums: IntArray, x: IntArray) -> IntArray:
        return skipped(sums, x, self.machine.layers[number - 1].skip)

    def stage_below(self, number: int, sums: IntArray, errors: IntArray) -> IntArray:
        return skipped(sums, errors, self.machine.layers[number - 1].skip)
