"""Row sums at a device: written with a network, and compared with the trits by SCRUB."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ...errors import DeviceError
from ...firmware import programs
from ...firmware.frames import Run, Space
from ...model.layout import row_sums
from ..device_part import Counters, DevicePart, Words

__all__ = ["RowSums"]


class RowSums(DevicePart):
    """See `units.device_part.DevicePart`."""

    def loaded(self, counters: Counters, codes: Words, residuals: Words, kept: object) -> None:
        for _, first, sums in self._layers(codes):
            self.driver.write(Space.SUMS, sums.astype(np.uint8).tobytes(), 1, first)

    def scrub(self) -> int:
        """Have the device compare the trits of all rows with their sums; how many rows.

        Raises
        ------
        DeviceError
            Rows differ: names them, but for those behind the third.
        """
        driver = self.driver
        status = driver.run_alone(programs.scrub(len(driver.layers)), 255 * driver.worst_cycles())
        if status["run"] == Run.HALTED:
            return sum(layer.outputs for layer in driver.layers)
        if status["run"] != Run.CORRUPT:
            raise driver.failed(status)
        rows = self._corrupt()
        more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
        raise DeviceError(f"memory T of {driver.name} is corrupt: the trits of "
                          f"{', '.join(rows[:3])}{more} have not the sum mod 3 that was kept")

    def _corrupt(self) -> list[str]:
        """Rows whose trits have not the sum that the device keeps."""
        names = []
        for number, first, sums in self._layers(self.driver.codes()):
            kept = np.frombuffer(self.driver.read(Space.SUMS, len(sums), 1, first), np.uint8)
            names += [f"layer {number} row {row}" for row in np.flatnonzero(kept != sums)]
        return names

    def _layers(self, codes: Words) -> Iterator[tuple[int, int, npt.NDArray[np.int64]]]:
        """Each layer's number, first word of SUMS, and sums of its rows."""
        config = self.driver.config
        for number, (layer, placed) in enumerate(self.driver.placed(), 1):
            yield (number, placed.output_base * config.lanes,
                   row_sums(config, layer, placed, codes))
