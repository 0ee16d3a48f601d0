"""Training with a support: when a run purges, how much, and when births end.

After "Blending Pruning and Backprop" (Siddhartha Gadgil, 2015-01-07): purge every N loops, N long
enough for what is born to gain weight. What is ours: the first layer begins empty, as a weight that
the training did not put there says nothing of its use; and the last part of the run leaves the
support alone, so that the network settles on what is left.
"""

from dataclasses import dataclass

from ...errors import BadInput

__all__ = ["ALL", "Pruning"]

#: k of a purge that clears every counter.
ALL = 15


@dataclass(frozen=True)
class Pruning:
    """The numbers of a run with a support.

    Parameters
    ----------
    every
        N, samples between two purges.
    cutoff
        A purge clears granules with at most so many trits that are not 0. 0 to banks * lanes.
    banks, lanes
        Rows and inputs of a granule.

    Raises
    ------
    BadInput
        Names the number, its value and what is allowed.
    """

    every: int
    cutoff: int
    banks: int
    lanes: int

    def __post_init__(self) -> None:
        for name, low, high in (("banks", 1, 256), ("lanes", 1, 256), ("every", 1, 2**31 - 1),
                                ("cutoff", 0, self.banks * self.lanes)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise BadInput(f"{name} of pruning must be an integer from {low} to {high}, "
                               f"not {value!r}")

    def check(self, samples: int) -> None:
        """Raise `BadInput` unless a run over so many samples purges at least once."""
        if self.last(samples) == 0:
            raise BadInput(f"every of pruning must be at most three fifths of the run's {samples} "
                           f"samples, not {self.every!r}")

    def last(self, samples: int) -> int:
        """Samples before the last purge of a run over so many; nothing is born after it."""
        return 3 * samples // 5 // self.every * self.every

    def ahead(self, seen: int) -> int:
        """Samples from `seen` to where a purge may be due."""
        return self.every - seen % self.every

    def cutoff_after(self, seen: int, samples: int) -> int | None:
        """The cutoff of the purge that is due after `seen` of the run's samples, if one is."""
        due = seen % self.every == 0 and 0 < seen <= self.last(samples)
        return self.cutoff if due else None

    def rests(self, seen: int, samples: int) -> bool:
        """Whether births have ended after `seen` of the run's samples."""
        return seen >= self.last(samples)

    @staticmethod
    def small(bits: int) -> int:
        """k of a purge: counters of `bits` bits in the inner half of the cell of 0 are cleared."""
        return bits - 3

    @staticmethod
    def layers(depth: int) -> list[int]:
        """Layers, from 1, that are purged: all but the last of several."""
        return list(range(1, max(2, depth)))
