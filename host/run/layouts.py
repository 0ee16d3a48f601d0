"""How the rows were read that a model was trained on, so that others are read alike."""

from ..data.codings.numbers import Planes
from ..data.columns import Column
from ..data.reading import Layout
from ..data.scaling import Scaling
from .model_file import TrainedModel

__all__ = ["model_layout", "model_limits"]


def model_layout(model: TrainedModel) -> Layout | None:
    """How the text file was read that a model was trained on, if it was one."""
    stored = model.extras.get("layout")
    if stored is not None:
        return Layout.from_json(stored)
    if model.columns is not None:  # a model of the first versions
        return Layout(tuple(map(Column, model.columns)), None, model.columns)
    return None


def model_limits(model: TrainedModel) -> Scaling | None:
    """The range of the rows that a model was trained on, if it is known."""
    stored = model.extras.get("limits")
    if stored is not None:
        return Scaling.from_json(stored)
    first = model.coding.steps[0]  # a model of the first versions
    return first.scaling if isinstance(first, Planes) else None
