"""The PyTorch forms: a module whose state is integers, and an optimizer that steps it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch

from tritgrad.errors import BadInput
from tritgrad.model.scales.groups import TRACK_THRESHOLD, GroupScales
from tritgrad.sources.scaled_optum import start

__all__ = ["ScaledOptum", "TernaryLinear"]

#: Of the exponential form.
SLOPE = 4


class TernaryLinear(torch.nn.Module):
    """A layer of fixed trits with a learned scale a group of `group_size` weights, row-major.

    The parameters are those of the NumPy form, and so is the rule, bit for bit. There is no bias
    and no float in the state: effective weights are made for each forward pass. A backward pass
    adds to `weight_grad`, which `ScaledOptum.step` consumes.

    Attributes
    ----------
    T_packed, E, corr_accum, step_counter, E_accum
        Buffers: uint8, five trits a byte; int8 a group; int64 a group; int64; int8 a group.
    weight_grad
        The gradient of the effective weights since the last step, or None.
    """

    T_packed: torch.Tensor
    E: torch.Tensor
    corr_accum: torch.Tensor
    step_counter: torch.Tensor
    E_accum: torch.Tensor

    def __init__(self, in_features: int, out_features: int, group_size: int = 32, *,
                 exponential: bool = False, track: bool = False, ascend: bool = False,
                 seed: int = 1069):
        super().__init__()
        made = GroupScales(*start.drawn(out_features, in_features, group_size, seed), group_size,
                           track=track, ascend=ascend)
        self.in_features, self.out_features, self.group_size = in_features, out_features, group_size
        self.exponential, self.track, self.ascend = exponential, track, ascend
        self.weight_grad: torch.Tensor | None = None
        for name in ("T_packed", "E", "corr_accum", "step_counter", "E_accum"):
            self.register_buffer(name, torch.zeros(0))
        self.load_scales(made)

    @classmethod
    def from_linear(cls, linear: torch.nn.Linear, group_size: int = 32,
                    **options: Any) -> TernaryLinear:
        """A layer near a float one without bias: see `start.rounded`."""
        if linear.bias is not None:
            raise BadInput("linear must have no bias; add one beside the ternary layer")
        made = cls(linear.in_features, linear.out_features, group_size, **options)
        trits, exponents = start.rounded(linear.weight.detach().cpu().double().numpy(), group_size)
        made.load_scales(GroupScales(trits, exponents, group_size))
        return made.to(linear.weight.device)

    def load_scales(self, scales: GroupScales) -> None:
        """Take the state of a NumPy form of the same sizes."""
        if (scales.trits.shape, scales.size) != (
                (self.out_features, self.in_features), self.group_size):
            raise BadInput(f"scales must be of {self.out_features} x {self.in_features} trits in "
                           f"groups of {self.group_size}, not of {scales.trits.shape!r} and "
                           f"{scales.size}")
        state = scales.state()
        place = self.E.device
        for name, field in (("T_packed", "trits"), ("E", "exponents"), ("corr_accum", "corr"),
                            ("step_counter", "step"), ("E_accum", "residual")):
            setattr(self, name, torch.from_numpy(state[field].copy()).to(place))

    def group_scales(self) -> GroupScales:
        """The NumPy form with the same state, for exact outputs and the chip's rounding."""
        made = GroupScales(self.trits().cpu().numpy(), self.E.cpu().numpy(), self.group_size,
                           track=self.track, ascend=self.ascend)
        made.corr[:] = self.corr_accum.cpu().numpy()
        made.residual[:] = self.E_accum.cpu().numpy()
        made.step = int(self.step_counter)
        return made

    def trits(self) -> torch.Tensor:
        """int8 (out_features, in_features)."""
        places = torch.tensor([1, 3, 9, 27, 81], device=self.T_packed.device)
        flat = (self.T_packed.long()[:, None] // places % 3).reshape(-1) - 1
        weights = self.out_features * self.in_features
        return flat[:weights].to(torch.int8).reshape(self.out_features, self.in_features)

    def group_factors(self) -> torch.Tensor:
        """S of each group, float64."""
        d = int(self.step_counter) * self.group_size
        mean = self.corr_accum.double() / (d or 1)
        if self.exponential:
            return torch.exp2(self.E.double() + SLOPE * mean)
        return torch.ldexp(1 + mean, self.E.int())

    def effective_weight(self) -> torch.Tensor:
        """S * T, float32 (out_features, in_features)."""
        trits = self.trits()
        each = self.group_factors().repeat_interleave(self.group_size)[:trits.numel()]
        return (each.reshape(trits.shape) * trits).float()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs (..., out_features) of inputs (..., in_features)."""
        weight = self.effective_weight()
        if torch.is_grad_enabled():
            weight.requires_grad_()
            weight.register_hook(self._gather)
        return torch.nn.functional.linear(x, weight.to(x.dtype))

    def _gather(self, grad: torch.Tensor) -> None:
        found = grad.detach()
        self.weight_grad = found if self.weight_grad is None else self.weight_grad + found

    @torch.no_grad()
    def update_corr(self) -> None:
        """corr += the sum of vote * trit, and step += 1; nothing without a gradient."""
        if self.weight_grad is None:
            return
        if not torch.isfinite(self.weight_grad).all():
            raise BadInput("gradient must be finite")
        votes = torch.sign(self.weight_grad).to(torch.int64) * self.trits()
        flat = (votes if self.ascend else -votes).reshape(-1)
        short = len(self.corr_accum) * self.group_size - len(flat)
        scores = torch.nn.functional.pad(flat, (0, short)).reshape(-1, self.group_size).sum(1)
        self.corr_accum += scores
        self.step_counter += 1
        if self.track:
            gathered = self.E_accum.long() - torch.sign(scores)
            moves = torch.div(gathered, TRACK_THRESHOLD, rounding_mode="trunc")
            self.E.copy_((self.E.long() + moves).clamp(-128, 127))
            self.E_accum.copy_(gathered - moves * TRACK_THRESHOLD)

    def extra_repr(self) -> str:
        return (f"in_features={self.in_features}, out_features={self.out_features}, "
                f"group_size={self.group_size}")


class ScaledOptum(torch.optim.Optimizer):
    """The source's optimizer: p -= lr * sign(grad), and `update_corr` of ternary modules.

    Parameters
    ----------
    params
        Parameters or groups of them; there may be none, as ternary modules have no parameters.
    lr
        Step of plain parameters.
    default_group_size
        Kept for callers; not read here, as in the source.
    """

    def __init__(self, params: Any, lr: float = 0.3, default_group_size: int = 32):
        if not lr > 0:
            raise BadInput(f"lr must be above 0, not {lr!r}")
        given = list(params) or [{"params": []}]
        super().__init__(given, {"lr": lr, "default_group_size": default_group_size})
        self.default_group_size = default_group_size
        self._modules: list[list[Any]] = [[] for _ in self.param_groups]

    def add_ternary_modules(self, modules: Iterable[Any]) -> None:
        """Register modules with every group of now; one that a group already has is skipped.

        A module is whatever has `update_corr`; it is updated once for each group that has it.
        """
        added = list(modules)
        self._modules += [[] for _ in self.param_groups[len(self._modules):]]
        for held in self._modules:
            held += [module for module in added if not any(module is known for known in held)]

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        """One step; what `closure` returns, or None without one."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for n, group in enumerate(self.param_groups):
            for module in self._modules[n] if n < len(self._modules) else ():
                module.update_corr()
            for p in group["params"]:
                if p.grad is not None:
                    grad = p.grad.to_dense() if p.grad.is_sparse else p.grad
                    p.sub_(torch.sign(grad), alpha=group["lr"])
        self._forget()
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients, those of ternary modules too."""
        super().zero_grad(set_to_none)
        self._forget()

    def _forget(self) -> None:
        for module in (module for held in self._modules for module in held):
            if isinstance(module, TernaryLinear):
                module.weight_grad = None
