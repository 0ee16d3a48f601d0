"""The convolution of the reference machine."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ...firmware.frames import Space
from ...firmware.isa import Op
from ...model.convolution.kernels import ConvKernels, Features
from ...model.front import convolution_of
from ..part import IntArray, Part

__all__ = ["Conv"]


class Conv(Part):
    """Kernels in memory K, the image in hand, and what was found in it.

    Attributes
    ----------
    counters
        Memory K: of each kernel by channel, row and column.
    image
        Of the sample in hand, (channels * rows * columns,); None until there is one.
    features
        Of that image; None until CONV.
    boost
        What is added to the gain exponents for a sample predicted wrong.
    """

    def __init__(self, machine: Any):
        super().__init__(machine)
        c = machine.config
        self.counters = np.zeros(c.conv_kernels * c.conv_channels * c.conv_kernel ** 2, np.int64)
        self.half = 1 << (c.conv_counter_bits - 1)
        self.image: IntArray | None = None
        self.features: Features | None = None

    def clear(self) -> None:
        self.image, self.boost = None, 0
        if self.machine.front is not None:
            self.conv = convolution_of(self.machine.config, self.machine.front)
            self._forget()

    def inputs(self, x: IntArray) -> IntArray:
        conv, lanes = self.conv, self.machine.config.lanes
        rows = np.zeros(conv.rows * conv.channels * lanes, np.int64)
        rows[:len(x)] = x
        rows = rows.reshape(conv.rows, conv.channels, lanes)[..., :conv.columns]
        self.image = rows.swapaxes(0, 1).reshape(-1)
        self._forget()
        return x[:0]

    def below(self) -> tuple[npt.NDArray[np.bool_], IntArray]:
        placed, steps = self.machine.places[0], self.machine.config.steps
        return (self.machine.gates[:placed.words].reshape(-1),
                self.machine.errors[:placed.words * steps].reshape(-1))

    def execute(self, op: Op, operand: int) -> None:
        if op is Op.BOOST:
            self.boost = operand
        elif op is Op.CONV:
            self._forward()
        elif self.features is not None and self.machine.config.trainable:
            self._learn(self.features)

    def gain(self, gain: int) -> int:
        r = self.machine.registers
        wrong = r.scan.prediction != r.target
        return min(gain + self.boost * wrong, self.machine.config.counter_bits - 2)

    def read(self, space: Space, first: int, end: int) -> bytes:
        return (self.counters[first:end] & (2 * self.half - 1)).astype("<u2").tobytes()

    def write(self, space: Space, first: int, data: bytes) -> None:
        words = np.frombuffer(data, "<u2").astype(np.int64) & (2 * self.half - 1)
        self.counters[first:first + len(words)] = (words ^ self.half) - self.half

    def _forget(self) -> None:
        """Layer 1 has no inputs until CONV."""
        self.features = None
        self.machine.inputs[:] = 0
        gates, _ = self.below()
        gates[:] = False

    def _kernels(self) -> ConvKernels:
        kernels = ConvKernels(self.conv, 0)
        kernels.counters = self.counters[:self.conv.size].reshape(self.conv.kernels, -1)
        return kernels

    def _forward(self) -> None:
        if self.image is None:
            self.image = np.zeros(self.conv.inputs, np.int64)
        self.features = self._kernels().forward(self.image)
        gates, _ = self.below()
        self.machine.inputs[:self.conv.outputs] = self.features.h
        gates[:self.conv.outputs] = self.features.gates

    def _learn(self, features: Features) -> None:
        machine = self.machine
        _, errors = self.below()
        machine.statistics.flips += self._kernels().update(
            errors[:self.conv.outputs], features.patches, machine.prng)
