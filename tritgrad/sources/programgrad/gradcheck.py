"""The source's module of this name."""

from tritgrad.model.soft.gradcheck import GradcheckResult
from tritgrad.sources.programgrad.scalar import gradcheck

__all__ = ["GradcheckResult", "gradcheck"]
