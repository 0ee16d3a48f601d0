"""Groups of banks one behind the other, and by how many cycles.

Where many block memories lie side by side, what goes to all banks in one cycle takes too long.
A pipelined core hands it on from group to group instead: addresses, activations and writes enter
at the last group and reach each one before it a cycle later, and so do the sums and words that
leave at the first. As all of it moves the same way, each group sees what it would see alone, only
later (the cut-set retiming of Kung and Leiserson's systolic arrays).
"""

from amaranth import *

from ...model.config import CoreConfig, ceil_div

__all__ = ["NEIGHBOURS", "bank_delay", "delayed", "groups", "read_delay", "words_delay",
           "write_delay"]

#: Banks of a group; a power of two.
NEIGHBOURS = 4


def groups(config: CoreConfig) -> int:
    """Groups of a pipelined core's banks."""
    return ceil_div(config.banks, NEIGHBOURS)


def bank_delay(config: CoreConfig, bank: int) -> int:
    """Cycles until an address or a write is at a bank."""
    return groups(config) - bank // NEIGHBOURS if config.pipelined else 0


def words_delay(config: CoreConfig, bank: int) -> int:
    """Cycles by which a bank's word comes later than one cycle after its address."""
    return bank_delay(config, bank) + 1 if config.pipelined else 0


def read_delay(config: CoreConfig) -> int:
    """Cycles by which a word of T or R for an update, the link or SCRUB comes later."""
    return groups(config) + 1 if config.pipelined else 0


def write_delay(config: CoreConfig) -> int:
    """Cycles after which a word is in memory at the latest."""
    return bank_delay(config, 0)


def delayed(m: Module, value: Value, cycles: int, name: str, *, enable=1,
            reset_less: bool = False) -> list[Value]:
    """The value now and as it was in each of the last `cycles` cycles that were enabled."""
    values = [Value.cast(value)]
    for n in range(1, cycles + 1):
        register = Signal(values[0].shape(), name=f"{name}_{n}", reset_less=reset_less)
        with m.If(enable):
            m.d.sync += register.eq(values[-1])
        values.append(register)
    return values
