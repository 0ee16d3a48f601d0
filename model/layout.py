"""Where a network lives in the core's memories, and the checks of a layer table.

Row j of a layer with W = ceil(inputs / L) words lies in bank j mod R of memory T at
``trit_base + (j div R) * W``, and in memory R at ``residual_base + j * W * L / U``. A core that
updates Q rows at once has R in Q parts, word n in part n mod Q: there word w of row j is at
``residual_base + ((j div Q) * W * L / U + w) * Q + j mod Q``. Activations of hidden layers, their
gate bits and errors share one numbering of words of L neurons.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import BadInput
from ..option import Option, with_options
from ..units.registry import COLUMNS, takes
from .config import CoreConfig, ceil_div
from .front import convolution_of

__all__ = ["Layer", "Placement", "TableError", "check_table", "pack_counters",
           "place", "residual_words", "row_sums", "split_front", "tile_order", "tile_shape",
           "unpack_counters"]


class TableError(ValueError):
    """A layer table that this core cannot run: names the layer, the field, the value, the rule."""


@dataclass(frozen=True)
@with_options(Option(column.name, column.help, 0) for column in COLUMNS)
class Layer:
    """A row of the layer table: what a program needs to know of a layer.

    `planes` are the bits of an input, `shift` the activation shift (ignored for the last layer),
    `gain` the exponent of the update step in force. Columns of units follow. A row in front of the
    first layer is as `model.front` has it.

    Parameters
    ----------
    """

    inputs: int
    outputs: int
    planes: int
    shift: int
    gain: int


@dataclass(frozen=True)
class Placement:
    """A layer's place: word counts and base addresses."""

    words: int          #: W, words of L inputs
    groups: int         #: row groups of R rows
    trit_base: int      #: address in every bank of T
    residual_base: int  #: address in R
    input_base: int     #: first word of its inputs among the hidden words; 0 for layer 1
    output_base: int    #: first word of its outputs among the hidden words
    group_base: int     #: row groups of the layers below


def place(config: CoreConfig, layers: Sequence[Layer]) -> list[Placement]:
    """The place of each layer, one behind the other; what a layer in front makes is before all."""
    places = []
    trit = residual = source = target = group = 0
    if takes(config, "front") and layers:
        target = ceil_div(layers[0].inputs, config.lanes)
    for layer in layers:
        words = ceil_div(layer.inputs, config.lanes)
        groups = ceil_div(layer.outputs, config.banks)
        places.append(Placement(words, groups, trit, residual, source, target, group))
        group += groups
        trit += words * groups
        parts = config.update_rows
        residual += words * config.steps * ceil_div(layer.outputs, parts) * parts
        source, target = target, target + ceil_div(layer.outputs, config.lanes)
    return places


def split_front(config: CoreConfig, rows: Sequence[Layer]) -> tuple[Layer | None, list[Layer]]:
    """The row in front of the layers, of a core that has such, and the layers' rows."""
    return (rows[0], list(rows[1:])) if takes(config, "front") else (None, list(rows))


def check_table(config: CoreConfig, rows: Sequence[Layer]) -> None:
    """Raise `TableError` unless this core can run the table."""
    if not rows:
        raise TableError(f"a table has 1 to {config.max_layers} layers, not 0")
    front, layers = split_front(config, rows)
    if not 1 <= len(layers) <= config.max_layers:
        raise TableError(f"a table has 1 to {config.max_layers} layers, not {len(layers)}")

    def check(number: int, name: str, value: int, low: int, high: int) -> None:
        if not low <= value <= high:
            raise TableError(f"layer {number}: {name} must be from {low} to {high}, not {value}")

    if front is not None:
        try:
            made = convolution_of(config, front)
        except BadInput as error:
            raise TableError(str(error)) from None
    for number, layer in enumerate(layers, 1):
        first, last = number == 1, number == len(layers)
        if first and front is not None:
            check(number, "inputs", layer.inputs, made.outputs, made.outputs)
            check(number, "planes", layer.planes, made.bits, made.bits)
        elif first:
            check(number, "inputs", layer.inputs, 1, config.max_inputs)
            check(number, "planes", layer.planes, 1, config.input_planes)
        else:
            before = layers[number - 2].outputs
            check(number, "inputs", layer.inputs, before, before)
            check(number, "planes", layer.planes, config.activation_bits, config.activation_bits)
        check(number, "outputs", layer.outputs, 2 if last else 1,
              config.max_classes if last else config.max_neurons)
        check(number, "shift", layer.shift, 0, 31)
        check(number, "gain", layer.gain, -15, config.counter_bits - 2)
        imaged = first and front is None and config.store_shift
        if imaged and layer.skip:
            _check_images(config, layer, check)
        for column in COLUMNS:
            if not (imaged and column.name == "skip"):
                check(number, column.name, getattr(layer, column.name), 0,
                      column.most(config, layers, number))
    used = place(config, [*layers, Layer(0, 0, 0, 0, 0)])[-1]
    limits = [("T", used.trit_base, config.trit_depth),
              ("hidden", used.input_base, config.hidden_depth)]
    if config.trainable:
        limits.insert(1, ("R", used.residual_base, config.residual_depth))
    for name, value, depth in limits:
        if value > depth:
            raise TableError(
                f"the layers need {value} words of {name} memory, the core has {depth}")


def _check_images(config: CoreConfig, layer: Layer,
                  check: Callable[[int, str, int, int, int], None]) -> None:
    """The first layer's inputs are images of a store, with so many columns as `skip` says."""
    check(1, "skip (columns of an image)", layer.skip, 1, config.store_columns)
    check(1, "planes (of an image)", layer.planes, 1, config.store_planes)
    rows, rest = divmod(layer.inputs, layer.skip)
    check(1, "rows of an image", rows, 1, config.store_rows)
    check(1, "inputs beyond its last row", rest, 0, 0)


def tile_shape(lanes: int) -> tuple[int, int]:
    """Rows and columns of a tile of L pixels: as square as can be, at least as high as wide."""
    height = next(n for n in range(1, lanes + 1) if lanes % n == 0 and n * n >= lanes)
    return height, lanes // height


def tile_order(shape: tuple[int, int], lanes: int) -> npt.NDArray[np.intp]:
    """Pixels of a row-major image (rows, columns) in an order that makes more words zero.

    A word of L inputs then is a tile of the image instead of a piece of a row, at least as high as
    wide: what is drawn touches fewer tiles than pieces of rows.

    Returns
    -------
    The pixel at each input's position.
    """
    height, width = tile_shape(lanes)
    row, column = np.divmod(np.arange(shape[0] * shape[1]), shape[1])
    return np.lexsort((column % width, row % height, column // width, row // height))


def pack_counters(config: CoreConfig, layers: Sequence[Layer],
                  counters: Sequence[npt.NDArray[np.integer]],
                  ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Memory images of a network: T codes (banks, words, L) and R residuals (words, U)."""
    low = config.residual_bits
    trit_words, residual_words = [], []
    for layer, place_, values in zip(layers, place(config, layers), counters, strict=True):
        rows = place_.groups * config.banks
        padded = np.zeros((rows, place_.words * config.lanes), np.int64)
        padded[:layer.outputs, :layer.inputs] = values
        codes = (padded >> low) & 3
        trit_words.append(codes.reshape(place_.groups, config.banks, place_.words, config.lanes)
                          .transpose(1, 0, 2, 3).reshape(config.banks, -1, config.lanes))
        parts = config.update_rows
        kept = np.zeros((ceil_div(layer.outputs, parts) * parts, padded.shape[1]), np.int64)
        kept[:layer.outputs] = padded[:layer.outputs] & ((1 << low) - 1)
        residual_words.append(kept.reshape(len(kept) // parts, parts, -1, config.update_lanes)
                              .swapaxes(1, 2).reshape(-1, config.update_lanes))
    return np.concatenate(trit_words, axis=1), np.concatenate(residual_words)


def unpack_counters(config: CoreConfig, layers: Sequence[Layer],
                    codes: npt.NDArray[np.int64], residuals: npt.NDArray[np.int64],
                    ) -> list[npt.NDArray[np.int64]]:
    """Counters (outputs, inputs) of each layer from memory images as `pack_counters` makes them."""
    return [layer_counters(config, layer, place_, codes, residuals)
            for layer, place_ in zip(layers, place(config, layers), strict=True)]


def row_sums(config: CoreConfig, layer: Layer, place_: Placement,
             codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The trits of each row of a layer mod 3: (outputs,), 0 to 2, of T codes (banks, words, L).

    A code is congruent to its trit, as 2 is to -1 and 3 to 0, so the codes are summed; unused lanes
    of a row's last word as well.
    """
    count = place_.groups * place_.words
    words = codes[:, place_.trit_base:place_.trit_base + count]
    rows = words.reshape(config.banks, place_.groups, -1).sum(axis=2).T.reshape(-1)
    return rows[:layer.outputs] % 3


def residual_rows(config: CoreConfig, layer: Layer, place_: Placement,
                  residuals: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The residuals of each row of a layer, (outputs, words * L)."""
    parts = config.update_rows
    pairs, each = ceil_div(layer.outputs, parts), place_.words * config.steps
    words = residuals[place_.residual_base:place_.residual_base + pairs * each * parts]
    return (words.reshape(pairs, each, parts, -1).swapaxes(1, 2)
            .reshape(pairs * parts, -1)[:layer.outputs])


def residual_words(config: CoreConfig, place_: Placement, row: int) -> slice:
    """Where in R the words of a row of a layer are."""
    parts, each = config.update_rows, place_.words * config.steps
    first = place_.residual_base + row // parts * each * parts + row % parts
    return slice(first, first + each * parts - row % parts, parts)


def layer_counters(config: CoreConfig, layer: Layer, place_: Placement,
                   codes: npt.NDArray[np.int64], residuals: npt.NDArray[np.int64],
                   padded: bool = False) -> npt.NDArray[np.int64]:
    """Counters of one layer, or with the unused lanes of each row's last word if `padded`."""
    trit_words = place_.groups * place_.words
    top = (codes[:, place_.trit_base:place_.trit_base + trit_words]
           .reshape(config.banks, place_.groups, -1).transpose(1, 0, 2)
           .reshape(place_.groups * config.banks, -1)[:layer.outputs])
    low = residual_rows(config, layer, place_, residuals)
    signed = np.where(top >= 2, top - 4, top)
    values = (signed << config.residual_bits) | low
    return values if padded else values[:, :layer.inputs]
