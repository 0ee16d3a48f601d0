"""The source's module of this name."""

from tritgrad.model.soft.evaluation import *  # noqa: F403
from tritgrad.model.soft.evaluation import __all__ as __all__
