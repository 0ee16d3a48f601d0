"""What the host does for a unit at a device: a `DevicePart`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["DevicePart"]

Words = npt.NDArray[np.int64]
Counters = Sequence[npt.NDArray[np.integer]]


class DevicePart:
    """A unit of a device's core. By default the host does nothing for it.

    A subclass may have methods more, which `host.device.driver.Driver.act` calls by their names;
    its record lists them (`units.record.Unit.acts`).

    Parameters
    ----------
    driver
        The ``host.device.driver.Driver``, which has the part in `parts`.
    """

    def __init__(self, driver: Any):
        self.driver = driver

    def loaded(self, counters: Counters, codes: Words, residuals: Words, kept: Any) -> None:
        """A network is being loaded, its table and memories T and R are written.

        Parameters
        ----------
        counters
            Per layer (outputs, inputs), inputs in the device's order.
        codes, residuals
            The words of T and R, as `model.layout.pack_counters` makes them.
        kept
            The unit's part of the network's state (`model.state.Part`); None: as at a start.
        """

    def state(self) -> Any:
        """The unit's part of the network's state, read back."""
        raise NotImplementedError

    def compared(self, codes: Words, residuals: Words) -> str | None:
        """What is wrong with words of T and R that were read back, if it can be told."""
        return None
