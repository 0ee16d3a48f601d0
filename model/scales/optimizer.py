"""ScaledOptum (CLIWorks/ARBS): sign descent for plain parameters, group scales for ternary ones."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ...errors import BadInput

__all__ = ["ParamGroup", "Parameter", "ScaledOptum", "SparseGradient", "TernaryModule"]

Floats = npt.NDArray[np.floating]


class TernaryModule(Protocol):
    """What can be registered: `GroupScales`, or anything that updates its own scales."""

    def update_corr(self) -> None:
        """Learn the stored gradient."""


@dataclass
class SparseGradient:
    """Values at flat positions; values at the same position add up."""

    positions: npt.NDArray[np.int64]
    values: Floats

    def dense(self, shape: tuple[int, ...]) -> Floats:
        """The gradient as an array of `shape`."""
        out = np.zeros(shape)
        np.add.at(out.reshape(-1), self.positions, self.values)
        return out


@dataclass
class Parameter:
    """A plain parameter, changed in place, and its gradient."""

    value: Floats
    grad: Floats | SparseGradient | None = None


@dataclass
class ParamGroup:
    """Parameters with one learning rate, and the ternary modules registered with them."""

    params: list[Parameter]
    lr: float
    ternary_modules: list[TernaryModule] = field(default_factory=list)


class ScaledOptum:
    """The source's optimizer: no momentum, no decay.

    Parameters
    ----------
    params
        Parameters, or groups of them.
    lr
        Step of a plain parameter, for parameters that come without a group.
    default_group_size
        Kept for callers; not read here, as in the source.
    """

    def __init__(self, params: Sequence[Parameter] | Sequence[ParamGroup], lr: float = 0.3,
                 default_group_size: int = 32):
        if not lr > 0:
            raise BadInput(f"lr must be above 0, not {lr!r}")
        groups = [p for p in params if isinstance(p, ParamGroup)]
        plain = [p for p in params if isinstance(p, Parameter)]
        if groups and plain:
            raise BadInput("params must be all parameters or all groups, not both")
        self.param_groups = groups or [ParamGroup(plain, lr)]
        self.default_group_size = default_group_size

    def add_ternary_modules(self, modules: Iterable[TernaryModule]) -> None:
        """Register modules with every group; one that a group already has is skipped."""
        added = list(modules)
        for group in self.param_groups:
            for module in added:
                if not any(module is known for known in group.ternary_modules):
                    group.ternary_modules.append(module)

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One step; the loss of `closure`, which sets the gradients, or None without one.

        A module is updated once for each group that has it.
        """
        loss = None if closure is None else closure()
        for group in self.param_groups:
            for module in group.ternary_modules:
                module.update_corr()
            for p in group.params:
                if p.grad is not None:
                    grad = (p.grad.dense(p.value.shape) if isinstance(p.grad, SparseGradient)
                            else p.grad)
                    p.value -= group.lr * np.sign(grad)
        return loss
