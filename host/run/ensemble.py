"""Networks of several seeds that vote: a folder with a run's folder for each."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from .learners import inferred
from .model_file import TrainedModel
from .options import TrainOptions
from .training import Watcher, open_learner

__all__ = ["MEMBER", "check_alike", "members", "voted"]

#: What the folder of a member is called, followed by its seed.
MEMBER = "seed-"


def members(given: str) -> list[Path]:
    """Model files of the ensemble in a folder, by seed; none where it holds no ensemble."""
    folder = Path(given)
    if not folder.is_dir() or (folder / "model.npz").exists():
        return []
    found = {path.parent.name.removeprefix(MEMBER): path
             for path in folder.glob(f"{MEMBER}*/model.npz")}
    return [found[seed] for seed in sorted(found, key=lambda s: (len(s), s))]


def check_alike(files: Sequence[Path], models: Sequence[TrainedModel]) -> None:
    """Refuse networks that cannot vote: of other classes, or that read rows otherwise.

    Raises
    ------
    BadInput
        Names the file and what differs.
    """
    first, others = models[0], list(zip(files, models, strict=True))[1:]
    for file, model in others:
        for what, one, other in (("classes", first.class_names, model.class_names),
                                 ("inputs", _reads(first), _reads(model)),
                                 ("rule", first.rule, model.rule)):
            if one != other:
                raise BadInput(f"{file} cannot vote with {files[0]}: other {what}")


def voted(models: Sequence[TrainedModel], x: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """The class of each row (rows, inputs) with the first maximum of all networks' scores, added.

    On the golden model, which says what every device would.
    """
    total = np.zeros((len(x), len(models[0].class_names)), np.int64)
    for model in models:
        learner = open_learner(TrainOptions(device="model", rule=model.forward_rule), model.recipe,
                               Watcher(), None, model.pixels)
        learner.load(model.state)
        total += inferred(learner, x)[1]
        learner.close()
    return np.argmax(total, axis=1)


def _reads(model: TrainedModel) -> Any:
    """What decides how numbers become inputs, comparable."""
    steps, arrays = model.coding.stored()
    return steps, {name: (a.shape, np.ascontiguousarray(a).tobytes()) for name, a in arrays.items()}
