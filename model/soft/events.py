"""What a trace holds: operations, branches, searches, loop frames, the ledger, and their metrics.

The fields are those of ProgramGrad's trace IR. Numbers of scalar decisions are floats; those of
arrays of decisions are nested lists, with one metric an element.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Branch", "Condition", "Fidelity", "LedgerEntry", "Loop", "Op", "Relaxation", "Search",
           "as_dict", "binary_entropy", "entropy", "plain"]

#: A float, a bool, None, or nested lists of them.
Plain = Any
TINY = 1e-12


def plain(value: npt.ArrayLike | None) -> Plain:
    """An array as JSON has it; one of no dimensions as a number."""
    return None if value is None else np.asarray(value).tolist()


def binary_entropy(gate: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Of a gate, in nats; the gate is kept 1e-12 away from 0 and 1."""
    p = np.clip(np.asarray(gate, np.float64), TINY, 1 - TINY)
    return np.asarray(-(p * np.log(p) + (1 - p) * np.log(1 - p)))


def entropy(weights: npt.ArrayLike) -> float:
    """Of weights that sum to 1, in nats; each is at least 1e-12."""
    p = np.clip(np.asarray(weights, np.float64), TINY, 1.0)
    return float(-(p * np.log(p)).sum())


@dataclass(frozen=True)
class Fidelity:
    """How far a relaxed decision is from the hard one.

    Parameters
    ----------
    hard_value, soft_value
        Outputs; None without a soft one.
    output_gap
        Absolute difference.
    path_agreement
        Branch: whether the gate is at least a half just where the hard path is the true one.
        Search: whether the largest weight is the hard choice's. Loop: None.
    gate_entropy
        In nats. Of a loop: of the last frame's gate.
    temperature
        Slope beta of a branch, tau of a search.
    """

    hard_value: Plain
    soft_value: Plain
    output_gap: Plain
    path_agreement: Plain
    gate_entropy: Plain
    temperature: float | None

    @classmethod
    def of(cls, hard: Plain, soft: Plain, agreement: Plain, gate_entropy: Plain,
           temperature: float | None) -> Fidelity:
        """With the gap worked out; None for what is not there."""
        gap = None if hard is None or soft is None else plain(
            np.abs(np.asarray(hard) - np.asarray(soft)))
        return cls(plain(hard), plain(soft), gap, plain(agreement), plain(gate_entropy),
                   temperature)


@dataclass(frozen=True)
class Relaxation:
    """How a decision was made differentiable."""

    surrogate_type: str
    temperature: float | None
    estimator: str
    notes: str


@dataclass
class Op:
    """An operation on tensors, named by their names or as ``t`` and their id.

    `local_derivative` is what each input's gradient gets where that of the output is 1.
    """

    id: int
    op_name: str
    inputs: list[str]
    output: str
    value: Plain
    local_derivative: dict[str, Plain]


@dataclass(frozen=True)
class Condition:
    """The test of a branch: what decided it, and its gate.

    `score` is the hard program's where it gets there; `temperature` is None without a gate.
    """

    score: Plain
    comparator: str
    hard_value: Plain
    gate: Plain
    relaxation: Relaxation
    temperature: float | None
    gradient_contract: str
    soft_score: Plain


@dataclass
class Branch:
    """A decision between two values."""

    id: int
    condition: Condition
    selected_path: Plain
    output_hard: Plain
    output_soft: Plain
    fidelity: Fidelity | None
    on_hard_path: bool = True


@dataclass
class Search:
    """A choice of the best candidate."""

    id: int
    candidates: list[str]
    scores: Plain
    selected_index: int
    soft_weights: Plain
    output_hard: Plain
    output_soft: Plain
    fidelity: Fidelity | None
    relaxation: Relaxation
    soft_scores: Plain = None
    on_hard_path: bool = True


@dataclass
class Loop:
    """An iteration of a bounded loop; the last one's fidelity is the loop's.

    `output_soft` is what the loop would return after it.
    """

    id: int
    iteration_index: int
    carried_state: Plain
    continue_score: Plain
    continue_gate: Plain
    hard_carried_state: Plain
    hard_continue_score: Plain
    hard_alive: bool
    on_hard_path: bool
    output_soft: Plain = None
    fidelity: Fidelity | None = None


@dataclass
class LedgerEntry:
    """What the gradient of a decision means, and where it is wrong.

    Parameters
    ----------
    id
        Of the branch or search.
    surrogate_type
        ``soft_gate``, ``pathwise``, ``straight_through``, ``softmax_select``,
        ``gumbel_softmax_select`` or ``gumbel_straight_through_select``.
    gradient_contract
        Of which function it is the gradient.
    bias_warning
        Where that differs from what a user may take it for.
    fidelity_metrics
        As of the event.
    approximates, gradient_flows_to, estimator, recommended_checks
        In words.
    """

    id: int
    surrogate_type: str
    gradient_contract: str
    bias_warning: str
    fidelity_metrics: Fidelity | None
    approximates: str
    gradient_flows_to: list[str]
    estimator: str
    recommended_checks: list[str] = field(default_factory=list)


def as_dict(event: Any) -> dict[str, Plain]:
    """An event as JSON has it."""
    return asdict(event)
