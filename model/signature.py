"""The signature of T and R: XOR over words, folded to 32 bits, as `units.signature` keeps it.

A step of the update unit changes U codes of 2 bits and U residuals. Bit n of either goes into bit
n mod 32 of the signature; so a word of T counts U codes at a time.
"""

import numpy as np
import numpy.typing as npt

from ..firmware.frames import SIGNATURE_BYTES
from .config import CoreConfig

__all__ = ["signature"]

BITS = 8 * SIGNATURE_BYTES


def signature(config: CoreConfig, codes: npt.NDArray[np.int64],
              residuals: npt.NDArray[np.int64]) -> int:
    """Signature of T (banks, words, L) and R (words, U)."""
    steps = codes.reshape(-1, config.update_lanes)
    return (_folded(np.bitwise_xor.reduce(steps, axis=0), 2)
            ^ _folded(np.bitwise_xor.reduce(residuals, axis=0), config.residual_bits))


def _folded(lanes: npt.NDArray[np.int64], bits: int) -> int:
    """Lanes side by side, the first lowest, folded."""
    word = sum(int(lane) << bits * n for n, lane in enumerate(lanes))
    folded = 0
    while word:
        folded, word = folded ^ word & (1 << BITS) - 1, word >> BITS
    return folded
