"""The source's module of this name."""

from tritgrad.sources.programgrad.scalar import Tensor, ensure_tensor, hard_data

__all__ = ["Tensor", "ensure_tensor", "hard_data"]
