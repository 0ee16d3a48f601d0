"""The signature of the reference machine."""

from ...firmware.frames import SIGNATURE_BYTES
from ...model.signature import signature
from ..part import Part

__all__ = ["Signature"]


class Signature(Part):
    """What the update unit has changed: T and R as they are, and as the link wrote them."""

    begun = 0  #: signature of T and R when the link wrote to them last

    @property
    def value(self) -> int:
        """The signature of all changes since."""
        return self._now() ^ self.begun

    def written(self) -> None:
        self.begun = self._now()

    def status(self) -> bytes:
        return self.value.to_bytes(SIGNATURE_BYTES, "little")

    def _now(self) -> int:
        return signature(self.machine.config, self.machine.codes, self.machine.residuals)
