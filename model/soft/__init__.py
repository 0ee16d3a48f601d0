"""Gradients over programs with hard decisions, and traces of what they decided.

The interface of ProgramGrad (sanowl/ProgramGrad), with arrays beside scalars.
"""

from .branch import diff_if, soft_if
from .context import TraceContext, trace, training_mode
from .gradcheck import GradcheckResult, gradcheck
from .loop import bounded_loop
from .search import soft_argmax, soft_select
from .tensor import Tensor, TraceError, hard_data

__all__ = ["GradcheckResult", "Tensor", "TraceContext", "TraceError", "bounded_loop", "diff_if",
           "gradcheck", "hard_data", "soft_argmax", "soft_if", "soft_select", "trace",
           "training_mode"]
