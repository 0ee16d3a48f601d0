"""Scales of rows at a device: memory S, written with a network and read back."""

import numpy as np

from ...firmware.frames import Space
from ...firmware.wire import pack_scales, unpack_scales
from ...model.scales.rows import RowScales
from ..device_part import Counters, DevicePart, Words

__all__ = ["Scales"]


class Scales(DevicePart):
    """See `units.device_part.DevicePart`. Without a state all scales are 1."""

    def loaded(self, counters: Counters, codes: Words, residuals: Words,
               kept: RowScales | None) -> None:
        rows = [layer.outputs for layer in self.driver.layers]
        scales = kept or RowScales.initial(rows)
        scales.check(rows)
        step = np.array([scales.step]), np.zeros(1, np.uint8)
        for (first, _), corr, factors in zip(self._windows(), [*scales.corr, step[0]],
                                             [*scales.codes, step[1]], strict=True):
            self.driver.write(Space.S, pack_scales(corr, factors),
                              self.driver.config.scale_word_bytes, first)

    def state(self) -> RowScales:
        """The scales of the rows."""
        size = self.driver.config.scale_word_bytes
        *rows, (step, _) = [unpack_scales(self.driver.read(Space.S, count, size, first))
                            for first, count in self._windows()]
        return RowScales([corr for corr, _ in rows], [codes for _, codes in rows], int(step[0]))

    def _windows(self) -> list[tuple[int, int]]:
        """First word and number of words in memory S of each layer's rows, then of the step."""
        config = self.driver.config
        rows = [(placed.output_base * config.lanes, layer.outputs)
                for layer, placed in self.driver.placed()]
        return [*rows, (config.scale_depth - 1, 1)]
