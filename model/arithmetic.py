"""What each unit of the core computes, in NumPy: the arithmetic specification.

Counters are integers of `bits` bits in [-2^(bits-1), 2^(bits-1) - 1]; a layer's counters are an
array (outputs, inputs). ``>>`` of a negative number rounds down, here as in the hardware. No unit
multiplies in hardware: products below have a trit or an error trit as one factor.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["IntArray", "Scan", "activate", "backward", "forward", "scan_scores", "skipped", "steps",
           "trits", "update"]

IntArray = npt.NDArray[np.int64]


def trits(counters: npt.NDArray[np.integer], bits: int) -> IntArray:
    """The trit of each counter: its top two bits, 01 is +1, 10 is -1, 00 and 11 are 0."""
    top = np.asarray(counters, np.int64) >> (bits - 2)
    return (top == 1).astype(np.int64) - (top == -2)


def forward(weights: IntArray, x: IntArray) -> IntArray:
    """Pre-activations z = W x, exact."""
    return weights @ x


def skipped(z: IntArray, x: IntArray, skip: int) -> IntArray:
    """z, or with a skip of 1 + S the sums z_j + x_j 2^S, for as many j as both have.

    The identity term of a layer with as many neurons as inputs. It is its own adjoint: in the
    backward pass z are the sums W^T e and x the errors e.
    """
    if not skip:
        return z
    both = min(len(z), len(x))
    result = z.copy()
    result[:both] += x[:both] << (skip - 1)
    return result


def activate(z: IntArray, shift: int, bits: int) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Activations clip(z >> shift, 0, 2^bits - 1) and the gate bits "nothing was clipped"."""
    shifted = z >> shift
    top = (1 << bits) - 1
    return np.clip(shifted, 0, top), (shifted >= 0) & (shifted <= top)


@dataclass(frozen=True)
class Scan:
    """One scan over the scores of a sample with label `label`."""

    prediction: int  #: first maximum of all scores
    rival: int       #: first maximum of the scores but the label's
    gap: int         #: score of the label less score of the rival


def scan_scores(scores: IntArray, label: int) -> Scan:
    """Prediction, rival and gap. Needs at least two scores."""
    others = scores.copy()
    others[label] = np.iinfo(np.int64).min
    rival = int(np.argmax(others))
    return Scan(int(np.argmax(scores)), rival, int(scores[label] - scores[rival]))


def backward(weights: IntArray, errors: IntArray, gates: npt.NDArray[np.bool_],
             skip: int = 0) -> IntArray:
    """Errors of the layer below: sign(W^T e), 0 where the gate bit is 0.

    With a `skip` of 1 + S it is the sign of W^T e + e 2^S, see `skipped`.
    """
    return np.sign(skipped(errors @ weights, errors, skip)) * gates


def steps(x: IntArray, gain: int, draw: int) -> IntArray:
    """What an error of +1 adds to the counters of a row with inputs `x`.

    `gain` is the exponent; if it is negative, `draw` (16 bits) XORed with each input's position
    dithers the rounding.
    """
    if gain >= 0:
        return x << gain
    dither = (draw ^ np.arange(len(x))) & ((1 << -gain) - 1)
    return np.where(x != 0, (x + dither) >> -gain, 0)


def update(row: IntArray, error: int, step: IntArray, bits: int,
           conserve: bool = False) -> tuple[IntArray, int]:
    """A row of counters after `error` (+1 or -1) times `step`, and how many trits changed.

    The sum saturates; where the trit changed, the residual is reloaded so that the counter stands
    three quarters into the cell it landed in, in the direction of motion (hysteresis).

    With `conserve` the sum of the row's trits stays what it is mod 3: the first trits that would
    change do not, as many as that takes; their counters stop one short of the change.
    """
    half = 1 << (bits - 1)
    cell = 1 << (bits - 2)
    after = np.clip(row + error * step, -half, half - 1)
    old, new = trits(row, bits), trits(after, bits)
    up, down = (3 * cell) >> 2, (cell >> 2) - 1
    base = (after >> (bits - 2)) << (bits - 2)
    reloaded = np.where(new > old, base + up, base + down)
    after = np.where(new != old, reloaded, after)
    flips = np.flatnonzero(new != old)
    if conserve:
        held = 0
        while (new - old)[flips[held:]].sum() % 3:
            held += 1
        first, flips = flips[:held], flips[held:]
        # One below what the trit above begins with, or the least with this trit.
        rises = new[first] > old[first]
        after[first] = np.where(rises, (2 * old[first] + 1) * cell - 1, (2 * old[first] - 1) * cell)
    return after, len(flips)
