"""What the rules that learn from losses do with the samples of a run."""

from dataclasses import dataclass

from ...model.discrete import walk
from ...model.discrete.direction import generator_state

__all__ = ["ProbePlan"]


@dataclass(frozen=True)
class ProbePlan:
    """Numbers of the rules spsa and fd; see `tritgrad.model.discrete.perturbed`."""

    batch: int     #: samples that stay on the chip together, 1 to 1,023
    steps: int     #: on each mini-batch
    sparsity: int  #: k, 1 to 6: a weight in 2^k is perturbed; 0: one weight, in turn (rule fd)

    @property
    def resident(self) -> int:
        """Samples that a core keeps for it: one less than a power of two."""
        return int((1 << self.batch.bit_length()) - 1)

    def first_state(self, seed: int) -> int:
        """What a core's PRNG holds at the start of a run with this seed."""
        return generator_state(seed, 0) if self.sparsity else walk.FIRST
