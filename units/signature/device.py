"""The signature at a device: compared with what was written, whenever T and R are read."""

from ...model.signature import signature
from ..device_part import Counters, DevicePart, Words

__all__ = ["Signature"]


class Signature(DevicePart):
    """See `units.device_part.DevicePart`."""

    _written: int | None = None  # of T and R as they were loaded

    def loaded(self, counters: Counters, codes: Words, residuals: Words, kept: object) -> None:
        self._written = signature(self.driver.config, codes, residuals)

    def compared(self, codes: Words, residuals: Words) -> str | None:
        if self._written is None:
            return None
        changes: int = self.driver.status()["signature"]
        if signature(self.driver.config, codes, residuals) ^ self._written == changes:
            return None
        return (f"T or R of {self.driver.name} holds a bit that nobody wrote: its signature is "
                "another")
