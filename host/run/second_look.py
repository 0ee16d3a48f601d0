"""What a finished run is told: idle neurons, and what others get from the same rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...model.arithmetic import trits
from ...model.recipe import Recipe
from ..data.datasets import Dataset

__all__ = ["BASELINES", "baselines", "behind", "idle_neurons", "idle_warning"]

#: Training rows that neurons are judged by, and the share of them that may be idle.
JUDGED, IDLE = 512, 0.25
#: Points by which logistic regression may be better before that is said.
LEAD = 2.0
#: What `baselines` measures, by name.
BASELINES = {"lr": "logistic regression", "mlp": "multilayer perceptron", "rf": "random forest"}


def idle_neurons(recipe: Recipe, counters: Sequence[npt.NDArray[np.integer]],
                 x: npt.NDArray[np.uint8]) -> tuple[int, int, int]:
    """Hidden neurons that are 0 for all rows (rows, inputs), above 0 for all, and how many.

    Of networks without scales and skips.
    """
    h, off, on, neurons = x.astype(np.float64), 0, 0, 0
    for layer, shift in zip(counters, recipe.shifts, strict=False):
        # products of float64 are fast and, below 2^53, exact
        z = (h @ trits(layer, recipe.counter_bits).T.astype(np.float64)).astype(np.int64)
        h = np.clip(z >> shift, 0, (1 << recipe.activation_bits) - 1).astype(np.float64)
        active = (h > 0).mean(axis=0)
        off, on = off + int((active == 0).sum()), on + int((active == 1).sum())
        neurons += len(active)
    return off, on, neurons


def idle_warning(recipe: Recipe, counters: Sequence[npt.NDArray[np.integer]],
                 data: Dataset) -> str | None:
    """One sentence if more than a quarter of the hidden neurons are of no use."""
    if recipe.scale_refresh is not None or recipe.skip is not None or not recipe.shifts:
        return None
    off, on, neurons = idle_neurons(recipe, counters, data.x_train[:JUDGED])
    if off + on <= IDLE * neurons:
        return None
    return (f"{off} of {neurons} hidden neurons are always off and {on} always on, and tell rows "
            f"not apart; another --encode may help (here {data.coding.text})")


def baselines(data: Dataset, seed: int = 1) -> dict[str, float]:
    """Per cent of test rows that scikit-learn's classifiers get right, as `BASELINES` by name.

    Features are standardised; 128 hidden neurons, 100 trees. Of other packages' random numbers,
    so not the same for all their versions.
    """
    import warnings

    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler

    rows = data.rows
    scaler = StandardScaler().fit(rows.train[rows.chosen].astype(np.float64))
    x, test = (scaler.transform(part.astype(np.float64))
               for part in (rows.train[rows.chosen], rows.test))
    models: dict[str, Any] = {
        "lr": LogisticRegression(max_iter=2000),
        "mlp": MLPClassifier((128,), random_state=seed),
        "rf": RandomForestClassifier(100, random_state=seed)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that iterations ran out
        return {name: 100.0 * float(model.fit(x, data.y_train).score(test, data.y_test))
                for name, model in models.items()}


def behind(ours: float | None, found: dict[str, float]) -> str | None:
    """One sentence if logistic regression is better by 2 points."""
    if ours is None or found["lr"] < ours + LEAD:
        return None
    return (f"logistic regression gets {found['lr']:.2f} % of the same test rows right, the "
            f"network {ours:.2f} %: try another --encode, more --epochs, or --hidden")
