"""Samples as the payloads of DATA and FILL, in whichever of their two forms is shorter."""

import numpy as np
import numpy.typing as npt

from ...firmware.frames import Flags
from ...firmware.wire import pack_samples, pack_sparse

__all__ = ["PackedSamples"]

#: Most samples of a payload.
MOST = 255


class PackedSamples:
    """Samples on their way to a device.

    Parameters
    ----------
    x
        uint8 (samples, inputs), below 2^planes, in the device's order.
    y
        (samples,), numbers of classes.
    planes
        Bits of an input.

    Attributes
    ----------
    sparse
        Whether they go in the sparse form.
    bytes
        Of all of them, with their labels.
    """

    def __init__(self, x: npt.NDArray[np.uint8], y: npt.NDArray[np.integer], planes: int):
        dense = pack_samples(x, planes)
        packed, ends = pack_sparse(dense, planes)
        self.sparse = bool(ends[-1] < dense.size)
        if not self.sparse:
            packed = dense.reshape(-1)
            ends = np.arange(len(x) + 1, dtype=np.int64) * dense.shape[1]
        self._packed, self._ends, self._labels = packed, ends, y.astype(np.uint8)
        #: Where each sample begins if its label goes before it.
        self._labelled = ends + np.arange(len(ends))
        self.bytes = int(self._labelled[-1])

    def __len__(self) -> int:
        return len(self._labels)

    def payload(self, first: int, room: int) -> tuple[bytes, int]:
        """Samples from one on, as many as have room in so many bytes but at least one; how many."""
        end = int(np.searchsorted(self._labelled, self._labelled[first] + room - 2, "right")) - 1
        end = min(max(end, first + 1), first + MOST, len(self))
        flags = Flags.SPARSE if self.sparse else Flags(0)
        return (bytes([flags, end - first]) + self._labels[first:end].tobytes()
                + self._packed[self._ends[first]:self._ends[end]].tobytes()), end - first
