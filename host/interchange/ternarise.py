"""A network of ternary weights from a chain of dense layers, and what that left out."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ..data.codings.coding import Coding
from ..data.codings.images import Deskew, Edges
from ..data.codings.numbers import Signed
from ..run.defaults import filling_shifts
from .parse import Dense, Network

__all__ = ["RESIDUALS", "Ternary", "counters_of", "ternarised"]

Floats = npt.NDArray[np.float64]
Trits = npt.NDArray[np.int8]
Bytes = npt.NDArray[np.uint8]

#: Where a weight's counter is put in its cell: in the middle, or by how large the float was.
RESIDUALS = ("middle", "scaled")
#: Part of the mean size of weights below which one becomes 0: Li et al., Ternary Weight Networks.
THRESHOLD = 0.7
#: Bits of an activation where the file does not say.
BITS = 4


@dataclass(frozen=True, eq=False)
class Ternary:
    """A network as the core has it.

    Attributes
    ----------
    trits
        Per layer (outputs, inputs).
    sizes
        Per layer float64 (outputs, inputs): a weight's size over that at which it becomes a trit.
    shifts, bits
        Of the hidden activations.
    notes
        What is not as in the file, a sentence each.
    """

    trits: list[Trits]
    sizes: list[Floats]
    shifts: tuple[int, ...]
    bits: int
    notes: list[str]


def ternarised(network: Network, coding: Coding, x: Bytes, y: npt.NDArray[np.int64]) -> Ternary:
    """Trits, shifts and what is lost.

    Layers whose weights are trits already are taken as they are. Of others each row has a threshold
    of its own, 0.7 times the mean size of its weights, and the mean size of those above goes into
    the next layer's columns, as a ReLU lets it; the last layer has one threshold. Shifts follow
    from the file's scales if all is quantised, else they are those with the most of the rows right.

    Parameters
    ----------
    network
        The layers.
    coding
        Of the inputs.
    x, y
        Training rows (rows, inputs), coded, and their labels.

    Raises
    ------
    BadInput
        The first layer fits neither the coding's inputs nor its features.
    """
    layers, notes = _on_codes(network, coding), []
    trits, sizes, carried = [], [], np.ones(layers[0].weights.shape[1])
    for n, layer in enumerate(layers, 1):
        found = layer.trits
        if found is None:
            weights = layer.weights * carried
            found, size, carried = _cut(weights, rows=n < len(layers))
            notes.append(f"layer {n}: {layer.weights.size:,} weights became trits, "
                         f"{100 * float((found == 0).mean()):.0f} % of them 0")
        else:
            size, carried = np.abs(found) * 1.5, np.ones(len(found))
        if layer.bias is not None and np.any(layer.bias):
            notes.append(f"layer {n}: {np.count_nonzero(layer.bias):,} biases are left out; "
                         f"the core has none")
        trits.append(found)
        sizes.append(size)
    bits = _bits(layers)
    shifts = _told(network, layers, notes)
    if shifts is None:
        shifts = _fitted(trits, bits, x, y)
        if shifts:
            notes.append(f"shifts {', '.join(map(str, shifts))} are fitted to training rows")
    return Ternary(trits, sizes, shifts, bits, notes)


def counters_of(network: Ternary, bits: int, residuals: str) -> list[npt.NDArray[np.int16]]:
    """Counters of `bits` bits in the cells of the trits, see `RESIDUALS`."""
    if residuals not in RESIDUALS:
        raise BadInput(f"residuals must be {' or '.join(RESIDUALS)}, not {residuals!r}")
    cell, found = 1 << (bits - 2), []
    for trits, sizes in zip(network.trits, network.sizes, strict=True):
        if residuals == "middle":
            counters = trits.astype(np.int64) * (3 * cell // 2)
        else:
            size = np.rint(np.minimum(sizes, 2.0) * cell)
            size = np.where(trits == 0, np.minimum(size, cell - 1),
                            np.clip(size, cell + 1, 2 * cell - 1))
            counters = size
        if residuals == "scaled":
            signs = np.where(trits != 0, trits, 1)
            counters = counters * signs
        found.append(counters.astype(np.int16))
    return found


def _on_codes(network: Network, coding: Coding) -> list[Dense]:
    """The layers, the first one for the coding's inputs."""
    first, *others = network.layers
    takes = first.weights.shape[1]
    if takes == coding.inputs:
        return network.layers
    whole = not any(isinstance(step, Edges | Deskew) for step in coding.steps)
    if takes != coding.features or not whole:
        raise BadInput(f"the network takes {takes} inputs, the coding {coding.text} makes "
                       f"{coding.inputs} of {coding.features} features; give another --encode")
    origins = coding.origins()
    signs = np.ones(coding.inputs)
    if isinstance(coding.steps[0], Signed):
        half = np.repeat([1.0, -1.0], takes)  # above the mean, then below
        place = np.arange(coding.inputs)
        for step in reversed(coding.steps[1:]):
            place = step.origins()[place]
        signs = half[place]
    scale = first.scale
    if scale is not None and scale.ndim == 2 and scale.shape[1] == takes:
        scale = scale[:, origins]
    return [Dense(first.weights[:, origins] * signs, scale, first.bias, first.activation), *others]


def _cut(weights: Floats, rows: bool) -> tuple[Trits, Floats, Floats]:
    """Trits, sizes over the threshold, and the mean size of the weights of each row's trits."""
    size = np.abs(weights)
    limit = THRESHOLD * (size.mean(axis=1, keepdims=True) if rows else size.mean(keepdims=True))
    limit = np.where(limit > 0, limit, 1.0)
    trits = (np.sign(weights) * (size > limit)).astype(np.int8)
    kept = np.abs(trits).sum(axis=1)
    mean = (size * np.abs(trits)).sum(axis=1) / np.maximum(kept, 1)
    return trits, size / limit, mean


def _bits(layers: list[Dense]) -> int:
    found = {layer.activation.bits for layer in layers[:-1] if layer.activation is not None
             and layer.activation.bits is not None}
    if len(found) > 1:
        raise BadInput(f"the hidden layers have activations of {sorted(found)} bits; the core has "
                       f"one width for all")
    return found.pop() if found else BITS


def _told(network: Network, layers: list[Dense], notes: list[str]) -> tuple[int, ...] | None:
    """Shifts by the scales of the file, if weights are trits and activations codes throughout."""
    scale, shifts = 1.0 if network.code is None else network.code.scale, []
    if any(layer.trits is None for layer in layers):
        return None
    for n, layer in enumerate(layers[:-1], 1):
        act, units = layer.activation, layer.scale
        if act is None or act.bits is None or units is None:
            return None
        exact = np.log2(act.scale / (scale * np.exp(np.log(units).mean())))
        shifts.append(int(np.clip(np.rint(exact), 0, 31)))
        if np.ptp(units) or abs(exact - shifts[-1]) > 1e-6:
            notes.append(f"layer {n}: its scale of 2^{exact:.2f} is rounded to 2^{shifts[-1]}")
        if not act.down:
            notes.append(f"layer {n}: activations round down, not to the nearest")
        scale = act.scale
    return tuple(shifts)


def _fitted(trits: list[Trits], bits: int, x: Bytes, y: npt.NDArray[np.int64]) -> tuple[int, ...]:
    """Shifts for which activations fill their range, each moved as long as more rows are right."""
    top, shifts = (1 << bits) - 1, list(filling_shifts(trits[:-1], bits, x))

    def right(tried: list[int]) -> int:
        h = x.astype(np.float64)
        for layer, shift in zip(trits, tried, strict=False):
            h = np.clip(np.floor(h @ layer.T / 2.0**shift), 0, top)
        return int(np.count_nonzero((h @ trits[-1].T).argmax(axis=1) == y))

    best = right(shifts)
    for n in range(len(shifts)):
        for tried in shifts[n] - 2, shifts[n] - 1, shifts[n] + 1, shifts[n] + 2:
            other = [*shifts[:n], tried, *shifts[n + 1:]]
            if tried >= 0 and (found := right(other)) > best:
                best, shifts = found, other
    return tuple(shifts)
