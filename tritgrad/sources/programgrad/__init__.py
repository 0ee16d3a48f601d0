"""ProgramGrad (sanowl/ProgramGrad): gradients over programs with hard decisions, on scalars.

`tritgrad.model.soft` does the work; here are the source's names, keywords, floats and texts. Its
programs run after ``sys.modules["programgrad"] = tritgrad.sources.programgrad``. Imports are
absolute, so that its submodules may be imported under either name and share all classes.
"""

from tritgrad.model.soft.evaluation import (
    EvaluationRow,
    TemperatureSensitivityRow,
    format_hard_soft_table,
    format_temperature_table,
    hard_soft_rows,
    hard_squared_loss,
    hybrid_loss,
    temperature_sensitivity,
)
from tritgrad.model.soft.gradcheck import GradcheckResult
from tritgrad.sources.programgrad.control_flow import (
    bounded_loop,
    diff_if,
    soft_argmax,
    soft_if,
    soft_select,
)
from tritgrad.sources.programgrad.scalar import Tensor, gradcheck, hard_data
from tritgrad.sources.programgrad.trace import (
    TraceContext,
    soft_only_region,
    trace,
    training_mode,
    training_trace,
)

__all__ = ["EvaluationRow", "GradcheckResult", "TemperatureSensitivityRow", "Tensor",
           "TraceContext", "bounded_loop", "diff_if", "format_hard_soft_table",
           "format_temperature_table", "gradcheck", "hard_data", "hard_soft_rows",
           "hard_squared_loss", "hybrid_loss", "soft_argmax", "soft_if", "soft_only_region",
           "soft_select", "temperature_sensitivity", "trace", "training_mode", "training_trace"]
