"""Bounded loops: a loop that stops by a score, and what is differentiated in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from . import recording
from .branch import finite_score, positive
from .events import Fidelity, Loop, binary_entropy, plain
from .tensor import Number, Tensor, TraceError, WrongType, as_tensor

__all__ = ["bounded_loop"]

Body = Callable[[int, Tensor], Tensor | Number]
Relax = Literal["survival", "exit_distribution"]
MODES = ("survival", "exit_distribution")


def bounded_loop(init: Tensor | Number, steps: int, body: Body, continue_score: Body,
                 beta: float = 10.0, mode: Relax = "survival") -> Tensor:
    """A loop whose every iteration runs, weighted by how likely the hard loop gets there.

    The hard loop takes the body while the score is above 0, and then stops. In the soft one each
    iteration has a gate ``g = sigmoid(beta * score)``, the chance to be alive is the product of
    the gates so far, and the state becomes ``alive * body + (1 - alive) * state``.

    Parameters
    ----------
    init
        First state, a scalar.
    steps
        Most iterations.
    body, continue_score
        Are given the iteration from 0 and the state.
    beta
        Slope of the gates.
    mode
        ``survival``: the result is the last state, and tends to the hard loop's with beta.
        ``exit_distribution``: the mean of the bodies' results, weighted by the chance that the
        loop stops there; it tends to the hard loop's with one more body.

    Raises
    ------
    TraceError
        `steps` is no number from 0; `beta` is not above 0; another mode; a state that is an array.
    """
    if isinstance(steps, bool) or not isinstance(steps, int):
        what = "bool " if isinstance(steps, bool) else ""
        raise WrongType(f"steps must be a non-negative integer, not {what}{steps!r}")
    if steps < 0:
        raise TraceError(f"steps must be a non-negative integer, not {steps!r}")
    if mode not in MODES:
        raise TraceError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
    beta = positive("beta", beta)
    state = as_tensor(init)
    if state.data.ndim:
        raise TraceError(f"the state of a loop must be a scalar, not of shape {state.shape}")
    shadow, context = recording.hard_shadow(), recording.active()
    alive, mean = Tensor(1.0), Tensor(0.0)
    hard_state, hard_alive = state, True  # `hard_state` stands for the hard value only
    frames: list[Loop] = []
    for step in range(steps):
        with recording.off_hard_path(not hard_alive):
            score = as_tensor(continue_score(step, state))
            goes_on = bool(finite_score(score, "continue_score") > 0) and hard_alive
        with recording.off_hard_path(not goes_on):
            result = as_tensor(body(step, state))
        gate = (score * beta).sigmoid()
        before, alive = alive, alive * gate
        stops = before * (1.0 - gate) if step < steps - 1 else before
        mean = mean + stops * result
        state = alive * result + (1.0 - alive) * state
        visited = hard_alive
        if goes_on:
            hard_state = result
        hard_alive = goes_on
        if shadow:
            state.with_hard(hard_state)
        if context is not None:
            frames.append(Loop(
                context.number(), step, plain(state.data), plain(score.data), plain(gate.data),
                plain(state.hard_data()) if shadow and state.hard_error is None else None,
                plain(score.hard_data() if recording.decides_hard() else score.data)
                if visited else None, goes_on, visited and recording.on_hard_path(),
                plain(state.data if mode == "survival" else mean.data)))
    out = state if mode == "survival" else mean if steps else state
    if mode == "exit_distribution" and shadow:
        out.with_hard(hard_state)
    if context is not None and frames:
        last = frames[-1]
        fidelity = context.metrics(Fidelity.of(
            last.hard_carried_state, out.data, None, float(binary_entropy(last.continue_gate)),
            None))
        frames[-1] = replace(last, fidelity=fidelity)
        context.loops += frames
    return out
