"""Registers of the reference machine, and what it counts."""

from dataclasses import dataclass, field

from . import arithmetic

__all__ = ["Registers", "Statistics"]


@dataclass
class Statistics:
    """Counts since RUN."""

    samples: int = 0
    correct: int = 0
    updates: int = 0
    flips: int = 0


@dataclass
class Registers:
    """Registers of the sequencer and of the score scan."""

    pc: int = 0
    counter: int = 0
    flag: bool = False
    label: int = 0
    target: int = 0       #: label of the last scan
    scan: arithmetic.Scan = field(default_factory=lambda: arithmetic.Scan(0, 0, 0))
    margin: int = 0       #: of the last ERR
    sent: int = 0         #: results since RUN
