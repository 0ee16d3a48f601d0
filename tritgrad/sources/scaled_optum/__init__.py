"""ScaledOptum (CLIWorks/ARBS, testing/scaled_optum.py): ternary layers whose scales alone learn.

With PyTorch, which the extra ``torch`` installs, `ScaledOptum` is a `torch.optim.Optimizer` and
`TernaryLinear` a module; without it both are the NumPy forms over `tritgrad.model.scales`, with the
same integers. Programs run after ``sys.modules["scaled_optum"] = tritgrad.sources.scaled_optum``.
"""

from importlib.util import find_spec

from tritgrad.model.scales.groups import GroupScales, pack_trits, unpack_trits
from tritgrad.model.scales.optimizer import Parameter, ParamGroup, SparseGradient

if find_spec("torch") is not None:
    from tritgrad.sources.scaled_optum.torch_form import ScaledOptum, TernaryLinear
else:
    from tritgrad.sources.scaled_optum.numpy_form import (  # type: ignore[assignment]
        ScaledOptum,
        TernaryLinear,
    )

__all__ = ["GroupScales", "ParamGroup", "Parameter", "ScaledOptum", "SparseGradient",
           "TernaryLinear", "pack_trits", "unpack_trits"]
