"""The NumPy forms: a layer over `GroupScales`, and the library's optimizer."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tritgrad.errors import BadInput
from tritgrad.model.scales.groups import GroupScales
from tritgrad.model.scales.optimizer import ScaledOptum
from tritgrad.sources.scaled_optum import start

__all__ = ["ScaledOptum", "TernaryLinear"]

Floats = npt.NDArray[np.floating]


class TernaryLinear:
    """A layer of fixed trits with a learned scale a group of `group_size` weights, row-major.

    Parameters
    ----------
    in_features, out_features
        Sizes.
    group_size
        Weights of a group, 1 to 32767.
    exponential
        Whether S is 2^(E + 4 corr / D), as later in the source, not 2^E (1 + corr / D).
    track
        Whether exponents slowly follow the scores.
    ascend
        Whether votes have the sign of the gradient, as the source's formula reads: it climbs the
        loss.
    seed
        Of the trits.

    Attributes
    ----------
    scales
        The `GroupScales`.
    """

    def __init__(self, in_features: int, out_features: int, group_size: int = 32, *,
                 exponential: bool = False, track: bool = False, ascend: bool = False,
                 seed: int = 1069):
        self.exponential = exponential
        self.scales = GroupScales(*start.drawn(out_features, in_features, group_size, seed),
                                  group_size, track=track, ascend=ascend)
        self._x: Floats | None = None

    def effective_weight(self) -> npt.NDArray[np.float32]:
        """S * T, float32 (out_features, in_features)."""
        s = self.scales
        values = (s.exponential_scales() if self.exponential
                  else np.array([float(scale) for scale in s.scales()]))
        each = np.repeat(values, s.size)[:s.trits.size].reshape(s.trits.shape)
        return (each * s.trits).astype(np.float32)

    def __call__(self, x: npt.ArrayLike) -> Floats:
        """Outputs (..., out_features) of inputs (..., in_features)."""
        self._x = np.asarray(x, np.float32)
        return self._x @ self.effective_weight().T

    def backward(self, grad: npt.ArrayLike) -> Floats:
        """Gradients of the last inputs from those of the outputs; the weights' ones are kept."""
        if self._x is None:
            raise BadInput("backward() needs a forward pass before it")
        g = np.asarray(grad, np.float32)
        rows, columns = self.scales.trits.shape
        found = g.reshape(-1, rows).T @ self._x.reshape(-1, columns)
        self.scales.grad = found if self.scales.grad is None else self.scales.grad + found
        return g @ self.effective_weight()

    def update_corr(self) -> None:
        """Learn the kept gradient; nothing without one."""
        self.scales.update_corr()

    def zero_grad(self) -> None:
        """Forget the kept gradient."""
        self.scales.grad = None

    def state_dict(self) -> dict[str, npt.NDArray[Any]]:
        """The state, integers only, by the names that the PyTorch module has for it."""
        s = self.scales.state()
        return {"T_packed": s["trits"], "E": s["exponents"], "corr_accum": s["corr"],
                "step_counter": s["step"], "E_accum": s["residual"]}

    def load_state_dict(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Go on from a `state_dict` of the same sizes."""
        self.scales.load({"trits": state["T_packed"], "exponents": state["E"],
                          "corr": state["corr_accum"], "step": state["step_counter"],
                          "residual": state["E_accum"],
                          "pad": np.array(-self.scales.trits.size % 5)})
