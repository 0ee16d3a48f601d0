"""The support at a device: written with a network, purged, and read back."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...firmware import programs
from ...firmware.frames import Run, Space
from ...firmware.wire import pack_words, unpack_words
from ...model.arithmetic import trits
from ...model.blending import granules
from ...model.blending.granules import Support as Kept
from ..device_part import Counters, DevicePart, Words

__all__ = ["Support"]

Bits = npt.NDArray[np.bool_]


class Support(DevicePart):
    """See `units.device_part.DevicePart`. Without a state granules with a trit are inside."""

    def loaded(self, counters: Counters, codes: Words, residuals: Words,
               kept: Kept | None) -> None:
        c = self.driver.config
        inside = kept.inside if kept is not None else [
            granules.support(trits(layer, c.counter_bits), c.banks, c.lanes) for layer in counters]
        for (_, placed), bits in zip(self.driver.placed(), inside, strict=True):
            words = np.zeros((placed.groups, c.max_words), np.int64)
            words[:, :placed.words] = bits
            size = c.support_word_bytes
            self.driver.write(Space.SUPPORT, pack_words(words, 1, size), size, placed.group_base)

    def state(self) -> Kept:
        """Granules inside, per layer (row groups, words), of inputs in device order."""
        c, found = self.driver.config, []
        for _, placed in self.driver.placed():
            data = self.driver.read(Space.SUPPORT, placed.groups, c.support_word_bytes,
                                    placed.group_base)
            words = unpack_words(data, 1, c.max_words, c.support_word_bytes)
            found.append(words[:, :placed.words].astype(np.bool_))
        return Kept(found)

    def purge(self, layers: Sequence[int], cutoff: int, k: int) -> None:
        """Purge layers, numbered from 1, see `tritgrad.model.blending.granules.purged`."""
        driver = self.driver
        counters = sum(driver.config.lanes * placed.words * layer.outputs
                       for layer, placed in driver.placed())
        status = driver.run_alone(programs.purge(len(driver.layers), layers, cutoff, k),
                                  1000 + 16 * counters)
        if status["run"] != Run.HALTED:
            raise driver.failed(status)
