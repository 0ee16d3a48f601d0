"""A ternary network as scikit-learn's classifier."""

import numbers
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ..data.memory import of_arrays
from ..run.checkpoint import Epoch
from ..run.model_file import TrainedModel
from ..run.running import begun, planned
from ..run.training import Watcher
from .options import NAMES, init_from_options, train_options
from .passes import Pass, first_pass, next_pass, scores
from .saved import of_model, with_classes

__all__ = ["TernaryClassifier"]

Self = TypeVar("Self", bound="TernaryClassifier")


@init_from_options
class TernaryClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A network of ternary weights, trained as the core trains it: on the golden model or a device.

    Every parameter is an option of ``tritgrad train`` and means the same; where scikit-learn has a
    name of its own for one, it has that name here. Equal parameters and rows end in the same bits,
    on every device and from the command line.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int
        Neurons of each hidden layer.
    epochs : int, optional
        How often all rows are learned; by default 20, more for few rows coded signed.
    planes : int, optional
        Bits of an input, one input a feature.
    encode : str, optional
        Coding of the inputs (docs/inputs.md). By default, without `planes`, the one that is best on
        held-back rows of those given.
    counter_bits : int
        Bits of a weight's counter, 6 to 14.
    device : str
        ``model`` (the golden model), ``sim`` (the compiled RTL), or a board, ``BOARD@PORT``. Rows
        are learned there; predictions, which are the same bits everywhere, are made on the golden
        model.
    store : str
        ``auto``: `fit` has a board keep its rows in the memory beside the FPGA, where it has one
        and they fit, or ``off``. `partial_fit` learns each row once and sends it over the line.
    random_state : int, RandomState or None
        Everything random follows from it; None takes a number from NumPy's global generator.
    validation_fraction : float, optional
        Part of the rows held back; the network of the epoch that is best on them is kept.
    image_shape : tuple of int, optional
        Rows and columns, if a row of X is an image, flattened row by row.
    watcher : tritgrad.Watcher, optional
        Is told of progress. Clones share it.
    other parameters
        As ``tritgrad train --help`` says of the option of that name.

    Attributes
    ----------
    classes_ : array
        Labels, in the order of the network's outputs.
    n_iter_ : int
        Epochs, or calls of `partial_fit`, so far.
    history_ : list of dict
        Of each of them what it did: ``train_accuracy``, ``val_accuracy``, ``updates``, ``flips``,
        ``cycles`` (0 where the device counts none).
    model_ : TrainedModel
        The network with its coding, as in a model file.
    n_features_in_, feature_names_in_
        As of every estimator.

    Notes
    -----
    There is no ``predict_proba``: scores are sums of trits and say nothing of probabilities. Where
    those are needed, `sklearn.calibration.CalibratedClassifierCV` fits them to held-back rows.

    All samples weigh alike on the core: ``sample_weight`` is refused. ``balance=True`` repeats rows
    of rare classes up to the largest class, in place of a ``class_weight``.
    """

    def fit(self: Self, X: npt.ArrayLike, y: npt.ArrayLike, **refused: Any) -> Self:
        """Learn rows (rows, features) and their labels (rows,).

        Raises
        ------
        BadInput
            A `ValueError` that names the parameter, its value and the rule.
        """
        _refuse(refused)
        x, given = self._rows(X, y, reset=True)
        self.classes_, labels = np.unique(given, return_inverse=True)
        options = train_options(self.get_params(deep=False), self._seed())
        data = of_arrays(x, labels, self._names(), planes=options.planes,
                         encode=None if options.encode == "auto" else options.encode,
                         val_fraction=options.val_fraction, balance=options.balance,
                         image_shape=self.image_shape, columns=self._columns())
        watcher = self.watcher or Watcher()
        trainer = begun(planned(options, data, watcher), None, watcher)
        try:
            outcome = trainer.run()
        finally:
            trainer.learner.close()
        self._take(Pass.over(outcome, trainer.checkpoint), outcome.position.epochs)
        return self

    def partial_fit(self: Self, X: npt.ArrayLike, y: npt.ArrayLike, classes: Any = None,
                    **refused: Any) -> Self:
        """Learn rows once, in a random order, and go on from there at the next call.

        The first call decides the coding from its rows, and needs all classes. Call n learns with
        the gains of epoch n of a run, calls behind its end with those of the last epoch; so
        `epochs` calls with the same rows end in the bits of `fit`. After `fit` it goes on with the
        gains of the last epoch.
        """
        _refuse(refused)
        first = not hasattr(self, "model_")
        if first and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if not first and classes is not None and not np.array_equal(self.classes_,
                                                                    np.unique(classes)):
            raise ValueError(f"classes={classes!r} is not the same as on the first call to "
                             f"partial_fit, {self.classes_!r}")
        x, given = self._rows(X, y, reset=first)
        if first:
            self.classes_ = np.unique(classes)
        labels = self._numbers(given)
        options = train_options(self.get_params(deep=False),
                                self._seed() if first else self.model_.recipe.seed)
        watcher = self.watcher or Watcher()
        if first:
            data = of_arrays(x, labels, self._names(), planes=options.planes,
                             encode=None if options.encode == "auto" else options.encode,
                             image_shape=self.image_shape, columns=self._columns())
            state = first_pass(planned(options, data, watcher), watcher)
        else:
            state = self._pass
        state, epoch = next_pass(state, options, x, labels, watcher)
        self._take(state, [*([] if first else self.history_), epoch])
        return self

    def decision_function(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Scores (rows, classes), whole numbers; of two classes (rows,), above 0 for the second."""
        check_is_fitted(self)
        found = scores(self._pass, validate_data(self, X, reset=False)).astype(np.float64)
        return found[:, 1] - found[:, 0] if len(self.classes_) == 2 else found

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """The class of each row (rows,) with the highest score, of equals the first."""
        found = self.decision_function(X)
        return self.classes_[(found > 0).astype(int) if found.ndim == 1 else found.argmax(axis=1)]

    def save(self, path: str | Path) -> None:
        """Write a model file, which is of use to every command that takes one, and to `load`."""
        check_is_fitted(self)
        with_classes(self.model_, self.classes_, self._pass, self.history_).save(path)

    @classmethod
    def load(cls: type[Self], path: str | Path) -> Self:
        """The estimator of a model file, whoever wrote it.

        Labels of a network that the command trained are integers if all of them look so, else
        text.
        """
        model = TrainedModel.load(path)
        params, classes, state, history = of_model(model, NAMES)
        made = cls(**params)
        made.classes_ = classes
        made.n_features_in_ = model.coding.features
        if model.columns is not None:
            made.feature_names_in_ = np.array(model.columns, object)
        made._take(state, history)
        return made

    def _take(self, state: Pass, history: Iterable[Epoch | Mapping[str, Any]]) -> None:
        self._pass = state
        self.model_ = state.model
        self.history_ = [_shown(epoch) if isinstance(epoch, Epoch) else dict(epoch)
                         for epoch in history]
        self.n_iter_ = len(self.history_)

    def _rows(self, X: npt.ArrayLike, y: npt.ArrayLike, reset: bool) -> tuple[Any, Any]:
        x, y = validate_data(self, X, y, reset=reset)
        check_classification_targets(y)
        return x, y

    def _numbers(self, y: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Labels as numbers of `classes_`."""
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(f"y holds labels that are none of the classes: {unknown.tolist()!r}; "
                             f"classes are {self.classes_.tolist()!r}")
        return np.searchsorted(self.classes_, y).astype(np.int64)

    def _names(self) -> list[str]:
        return [str(name) for name in self.classes_.tolist()]

    def _columns(self) -> list[str] | None:
        names = getattr(self, "feature_names_in_", None)
        return None if names is None else names.tolist()

    def _seed(self) -> int:
        state = self.random_state
        if isinstance(state, numbers.Integral) and not isinstance(state, bool):
            return int(state)
        return int(check_random_state(state).randint(1 << 31, dtype=np.int64))


def _refuse(given: Mapping[str, Any]) -> None:
    for name in given:
        raise TypeError(f"{name} is not supported: the core learns every sample alike. Repeat rows "
                        "that weigh more, or give balance=True for rare classes"
                        if name == "sample_weight" else f"there is no argument {name!r}")


def _shown(epoch: Epoch) -> dict[str, Any]:
    return {"train_accuracy": epoch.train_accuracy, "val_accuracy": epoch.val_accuracy,
            "updates": epoch.updates, "flips": epoch.flips, "cycles": epoch.cycles}
