"""Searches: the best of some candidates, and what is differentiated in its place."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal

import numpy as np

from . import recording
from .branch import positive
from .events import Fidelity, Search, entropy, plain
from .ledger import relaxation
from .tensor import Array, Number, Tensor, TraceError, as_tensor, stack

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
    scaled = _vector("scores", scores) / positive("tau", tau)
    # A constant: the weights do not depend on it, nor does any gradient.
    powers = (scaled - float(np.max(scaled.data))).exp()
    return powers / powers.sum()


def soft_select(values: Tensor | Sequence[Tensor | Number],
                scores: Tensor | Sequence[Tensor | Number], tau: float = 1.0,
                candidate_names: Sequence[str] | None = None, mode: Select = "softmax",
                seed: int = 0) -> Tensor:
    """The mean of values, weighted by ``softmax(scores / tau)``, in place of the best one's.

    The hard choice is the first largest of the hard program's scores.

    Parameters
    ----------
    values, scores
        One of each a candidate.
    tau
        Temperature.
    candidate_names
        For the trace.
    mode
        ``gumbel``: Gumbel noise is added to the scores, those of the hard choice too.
        ``gumbel_st``: forward the noisy choice, backward as ``gumbel`` (Jang, Gu, Poole,
        "Categorical reparameterization with Gumbel-softmax", 2017).
    seed
        Of the noise.

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
    names = [f"candidate {n}" for n in range(count)] if candidate_names is None \
        else [*candidate_names]
    if len(names) != count:
        raise TraceError(f"soft_select needs as many names as scores ({count}), not {len(names)}")

    if mode != "softmax":
        points = points + gumbel_noise(count, seed)
    hard_scores = points.hard_data() if recording.hard_shadow() else points.data
    best = int(np.argmax(hard_scores))
    weights = soft_argmax(points, tau)
    soft_weights = weights.data
    if mode == "gumbel_st":
        # Forward one-hot, backward the soft weights.
        weights = weights * 1.0
        weights.data = np.eye(count)[int(np.argmax(points.data))]
    out = _weighted(weights, options)
    if recording.hard_shadow():
        out.with_hard(options[best])
    if (context := recording.active()) is not None:
        number = context.number()
        hard = plain(out.hard_value)
        fidelity = context.metrics(Fidelity.of(
            hard, out.data, int(np.argmax(soft_weights)) == best, entropy(soft_weights), tau))
        context.searches.append(Search(
            number, names, plain(hard_scores), best, plain(soft_weights), hard, plain(out.data),
            fidelity, relaxation(SURROGATES[mode], tau), plain(points.data),
            recording.on_hard_path()))
        context.enter(number, SURROGATES[mode], fidelity)
    return out


def gumbel_noise(count: int, seed: int) -> Array:
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
