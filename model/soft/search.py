"""Searches: the best of some candidates, and what is differentiated in its place."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal

import numpy as np

from . import recording
from .branch import finite_score, positive
from .events import Fidelity, Search, entropy, plain
from .ledger import relaxation
from .tensor import Array, Number, Tensor, TraceError, WrongType, as_tensor, stack

__all__ = ["soft_argmax", "soft_select"]

Select = Literal["softmax", "gumbel", "gumbel_st"]
SURROGATES = {"softmax": "softmax_select", "gumbel": "gumbel_softmax_select",
              "gumbel_st": "gumbel_straight_through_select"}
TINY = 1e-12


def soft_argmax(scores: Tensor | Sequence[Tensor | Number], tau: float = 1.0) -> Tensor:
    """Weights that sum to 1, ``softmax(scores / tau)``. Not recorded.

    Parameters
    ----------
    scores
        An array of one dimension, or a sequence of numbers and tensors.
    tau
        Temperature: the smaller, the closer to the best one alone.

    Raises
    ------
    TraceError
        `tau` is not above 0, or there are no scores.
    """
    tau, points = positive("tau", tau), _vector("scores", scores)
    finite_score(points, "scores")
    # A constant: the weights do not depend on it, nor does any gradient.
    top = Tensor(np.max(points.data))
    if recording.decides_hard():
        top.with_hard(Tensor(np.max(points.hard_data())))
    powers = ((points - top) / tau).exp()
    return powers / powers.sum()


def soft_select(values: Tensor | Sequence[Tensor | Number],
                scores: Tensor | Sequence[Tensor | Number], tau: float = 1.0,
                candidate_names: Sequence[str] | None = None, mode: Select = "softmax",
                seed: int | None = 0) -> Tensor:
    """The mean of values, weighted by ``softmax(scores / tau)``, in place of the best one's.

    The hard choice is the first largest of the hard program's scores, whatever the mode.

    Parameters
    ----------
    values, scores
        One of each a candidate.
    tau
        Temperature.
    candidate_names
        For the trace.
    mode
        ``gumbel``: Gumbel noise is added to the scores, but not to those of the hard choice.
        ``gumbel_st``: forward the noisy choice, backward as ``gumbel`` (Jang, Gu, Poole,
        "Categorical reparameterization with Gumbel-softmax", 2017).
    seed
        Of the noise; None draws another one each time.

    Raises
    ------
    TraceError
        `tau` is not above 0; another mode; no candidates, or not as many values, scores and names.
    """
    if mode not in SURROGATES:
        raise TraceError(f"mode must be one of {', '.join(SURROGATES)}, not {mode!r}")
    tau = positive("tau", tau)
    points = _vector("scores", scores)
    count = len(points.data)
    options = [values[n] for n in range(len(values.data))] if isinstance(values, Tensor) \
        else [as_tensor(value) for value in values]
    if len(options) != count:
        raise TraceError(f"soft_select needs as many values as scores ({count}), "
                         f"not {len(options)}")
    names = [f"candidate_{n}" for n in range(count)] if candidate_names is None \
        else [*candidate_names]
    if len(names) != count:
        raise TraceError(f"candidate_names must be as many as scores ({count}), not {len(names)}")
    for name in names:
        if not isinstance(name, str):
            raise WrongType(f"candidate_names must hold only strings, not {name!r}")

    hard_scores = finite_score(points, "scores")
    best = int(np.argmax(hard_scores))
    noisy = points if mode == "softmax" else points + gumbel_noise(count, seed)
    weights = soft_argmax(noisy, tau)
    soft_weights = weights.data
    if mode == "gumbel_st":
        # Forward one-hot, backward the soft weights.
        weights = weights * 1.0
        weights.data = np.eye(count)[int(np.argmax(soft_weights))]
    out = _weighted(weights, options)
    soft = out.data if mode != "gumbel_st" else sum(
        weight * option.data for weight, option in zip(soft_weights, options, strict=True))
    if recording.hard_shadow():
        out.with_hard(options[best])
    if (context := recording.active()) is not None:
        number = context.number()
        hard = None if out.hard_error is not None else plain(out.hard_data())
        fidelity = context.metrics(Fidelity.of(
            hard, soft, int(np.argmax(soft_weights)) == best, entropy(soft_weights), tau))
        context.searches.append(Search(
            number, names, plain(hard_scores), best, plain(soft_weights), hard, plain(soft),
            fidelity, relaxation(SURROGATES[mode], tau), plain(points.data),
            recording.on_hard_path()))
        context.enter(number, SURROGATES[mode], fidelity)
    return out


def gumbel_noise(count: int, seed: int | None) -> Array:
    """Noise -ln(-ln u), u from Python's generator, kept 1e-12 away from 0 and 1."""
    rng = random.Random(seed)
    u = np.clip([rng.random() for _ in range(count)], TINY, 1 - TINY)
    return np.asarray(-np.log(-np.log(u)))


def _vector(name: str, given: Tensor | Sequence[Tensor | Number]) -> Tensor:
    out = given if isinstance(given, Tensor) else stack(given) if len(given) else Tensor([])
    if out.data.ndim != 1 or not len(out.data):
        raise TraceError(f"{name} must be at least one number in one dimension, "
                         f"not an array of shape {out.shape}")
    return out


def _weighted(weights: Tensor, options: list[Tensor]) -> Tensor:
    out = weights[0] * options[0]
    for n, option in enumerate(options[1:], 1):
        out = out + weights[n] * option
    return out
