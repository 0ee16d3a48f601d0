"""A trained network for other programs: an .npz of trits, or one C99 header."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import BadInput
from ...model.config import ceil_div
from ...model.scales.chip import FRACTION_BITS
from ...model.scales.rows import RowScales
from ..data.codings.numbers import Planes
from ..data.npz import write_arrays, write_whole
from .export_coding import c_coding, lines_of
from .export_conv import c_convolution, npz_convolution
from .model_file import TrainedModel

__all__ = ["c_header", "write_c_header", "write_npz"]

WORD = 32

def write_npz(model: TrainedModel, path: str | Path) -> None:
    """Write the network without its counters.

    Arrays: ``trits_1`` .. ``trits_N`` int8 (outputs, inputs); ``layers``, ``shifts`` int64;
    ``planes``, ``activation_bits`` int64 (); ``scaling_minimum``, ``scaling_maximum`` float64
    (inputs,); ``class_names`` text (classes,). With skip connections ``skips`` int64, a layer's
    inputs times 2^(n - 1) are added to its sums where n is not 0; with scales ``scale_codes_1``
    .. uint8 (outputs,), see docs/scales.md. Where the inputs are coded otherwise, ``coding`` is
    JSON of its steps in place of the scaling, with the arrays ``coding_N_...`` of step N. Behind a
    convolution also ``kernels`` int8 (kernels, channels, rows, columns), and int64 () ``pool``,
    ``pixel_bits`` and ``conv_shift``; ``planes`` are then the bits of its outputs.
    """
    first, *others = model.coding.steps
    if isinstance(first, Planes) and not others:
        coding: dict[str, npt.NDArray[Any]] = {"scaling_minimum": first.scaling.minimum,
                                               "scaling_maximum": first.scaling.maximum}
    else:
        steps, coding = model.coding.stored()
        coding["coding"] = np.array(json.dumps(steps))
    if model.recipe.skip is not None:
        coding["skips"] = np.array(model.recipe.skips, np.int64)
    coding |= {f"scale_codes_{n}": codes for n, codes in enumerate(_codes(model), 1)}
    write_arrays(Path(path), {
        **{f"trits_{i + 1}": layer for i, layer in enumerate(model.trits()[-model.recipe.depth:])},
        **npz_convolution(model),
        "layers": np.array(model.recipe.layers, np.int64),
        "shifts": np.array(model.recipe.shifts, np.int64),
        "planes": np.int64(model.recipe.planes),
        "activation_bits": np.int64(model.recipe.activation_bits),
        "class_names": np.array(model.class_names), **coding,
    })


def write_c_header(model: TrainedModel, path: str | Path, prefix: str = "tritgrad") -> None:
    """Write `c_header` to a file."""
    write_whole(Path(path), c_header(model, prefix).encode())


def c_header(model: TrainedModel, prefix: str = "tritgrad") -> str:
    """The network as self-contained C99 that needs no library.

    A weight row is two bit masks, its +1s and its -1s, in words of 32 inputs, input 0 in bit 0.
    Its functions are ``prefix_scale``, ``prefix_scores`` and ``prefix_predict``; they give exactly
    the numbers of the golden model.

    Parameters
    ----------
    model
        The network.
    prefix
        Start of every name, a C identifier; two networks in one program need two that differ in
        more than case, which the second header checks.
    """
    if not re.fullmatch(r"[A-Za-z]\w*", prefix, re.ASCII):
        raise BadInput(f"prefix must be a C identifier, not {prefix!r}")
    if "__" in prefix or prefix.endswith("_"):
        raise BadInput(f"prefix must not end in _ or hold __, which C++ keeps for itself, "
                       f"not {prefix!r}")
    recipe = model.recipe
    values: dict[str, object] = {
        "p": prefix, "P": prefix.upper(), "id": model.state_sha256[:8],
        "words": ceil_div(max(recipe.layers[:-1]), WORD),
        "fraction": FRACTION_BITS, "top": FRACTION_BITS + 1,
        "planes": max(recipe.planes, recipe.activation_bits) if recipe.shifts else recipe.planes,
    }
    return "\n".join([
        _fill(HEAD, values),
        *_sizes(model, prefix),
        "",
        *_weights(model, prefix),
        _fill(LAYER, values),
        *([_fill(SKIP, values)] if any(recipe.skips) else []),
        *([_fill(RESCALE, values)] if _codes(model) else []),
        _fill(DOUBLE, values),
        *_scale(model, prefix),
        _fill(NO_DOUBLE, values),
        *c_convolution(model, prefix),
        *_scores(model, prefix),
        _fill(PREDICT, values),
    ])


def _fill(template: str, values: dict[str, object]) -> str:
    """Replace ``@name@`` marks: braces and per cent signs belong to C."""
    return re.sub(r"@(\w+)@", lambda mark: str(values[mark[1]]), template)


HEAD = """\
/* A ternary network made by tritgrad. Plain C99; needs nothing but this file.
 *
 *   uint8_t x[@P@_INPUTS];
 *   @p@_scale(features, x);        your @P@_FEATURES numbers (double) to inputs
 *   int k = @p@_predict(x);        number of the class, @p@_class_names[k]
 *
 * The weights lie in flash memory on AVR. Elsewhere, if they need such words, define TRITGRAD_ROM
 * (behind an array's name) and TRITGRAD_READ(p) (the uint32_t there) before the first header.
 */
#if defined @P@_H && @P@_ID != 0x@id@
#error "two networks of one prefix: export one of them with another --prefix"
#endif
#ifndef @P@_H
#define @P@_H
#define @P@_ID 0x@id@

#include <stdint.h>

#ifndef TRITGRAD_ROM
#ifdef __AVR__
#include <avr/pgmspace.h>
#define TRITGRAD_ROM PROGMEM
#define TRITGRAD_READ(p) pgm_read_dword(p)
#else
#define TRITGRAD_ROM
#define TRITGRAD_READ(p) (*(p))
#endif
#endif
"""

# A conversion in single precision would now and then give another input.
DOUBLE = """\
#if !defined __SIZEOF_DOUBLE__ || __SIZEOF_DOUBLE__ >= 8
"""
NO_DOUBLE = """\
#else
/* double has less than 64 bits here, and would change inputs: there is no @p@_scale. Scale
 * elsewhere, and give @p@_predict the inputs. */
#endif
"""

LAYER = """\
/* Ones of a word. */
static inline int32_t @p@_popcount(uint32_t w)
{
    w -= (w >> 1) & 0x55555555u;
    w = (w & 0x33333333u) + ((w >> 2) & 0x33333333u);
    w = (w + (w >> 4)) & 0x0F0F0F0Fu;
    return (int32_t)((w * 0x01010101u) >> 24);
}

/* z = W x for inputs x of `planes` bits, one bit plane after the other. */
static inline void @p@_layer(const uint32_t *plus, const uint32_t *minus, int inputs, int outputs,
                             int planes, const uint8_t *x, int32_t *z)
{
    uint32_t bits[@planes@][@words@] = {{0}};
    int words = (inputs + 31) / 32;
    for (int i = 0; i < inputs; i++)
        for (int p = 0; p < planes; p++)
            bits[p][i / 32] |= (uint32_t)((x[i] >> p) & 1) << (i % 32);
    for (int j = 0; j < outputs; j++, plus += words, minus += words) {
        z[j] = 0;
        for (int p = 0; p < planes; p++) {
            int32_t sum = 0;
            for (int w = 0; w < words; w++)
                sum += @p@_popcount(bits[p][w] & TRITGRAD_READ(plus + w))
                    - @p@_popcount(bits[p][w] & TRITGRAD_READ(minus + w));
            z[j] += sum * (1 << p);
        }
    }
}

/* Hidden activations: z / 2^shift rounded down, clipped to 0..top. */
static inline void @p@_activate(const int32_t *z, int n, int shift, int32_t top, uint8_t *h)
{
    for (int i = 0; i < n; i++) {
        int32_t v = z[i] < 0 ? 0 : z[i] >> shift;
        h[i] = (uint8_t)(v > top ? top : v);
    }
}
"""

SKIP = """\
/* Adds inputs, times 2^shift, to the sums of as many outputs. */
static inline void @p@_skip(const uint8_t *x, int n, int shift, int32_t *z)
{
    for (int i = 0; i < n; i++)
        z[i] += (int32_t)x[i] * (1 << shift);
}
"""

# C leaves open what a right shift does with numbers below 0.
RESCALE = """\
/* v / 2^shift rounded down. */
static inline int32_t @p@_down(int32_t v, int shift)
{
    return v >= 0 ? v >> shift : -((-v + (1 << shift) - 1) >> shift);
}

/* Sums times the factor of their row: one or two powers of two, each rounded down. */
static inline void @p@_rescale(const uint8_t *codes, int n, int32_t *z)
{
    for (int j = 0; j < n; j++) {
        int upper = (codes[j] & 15) ^ @fraction@, lower = codes[j] >> 4;
        int32_t v = 2 * z[j];
        z[j] = upper <= @top@ ? @p@_down(v, @top@ - upper) : 0;
        if (lower >= 1 && lower <= @top@ && upper != @top@)
            z[j] += @p@_down(v, @top@ + 1 - lower);
    }
}
"""

SCALE = """\
/* floor(255 * (v - minimum) / (maximum - minimum) + 1/2), clipped to 0..255, its top bits. */
static inline void @p@_scale(const double *features, uint8_t *x)
{
    for (int i = 0; i < @P@_INPUTS; i++) {
        double low = @low@, high = @high@, v = 0.0;
        if (low < high)
            v = 255.0 * (features[i] - low) / (high - low) + 0.5;
        x[i] = (uint8_t)((v >= 255.0 ? 255 : v >= 0.0 ? (int)v : 0) >> (8 - @P@_PLANES));
    }
}
"""

PREDICT = """\
/* Number of the class with the highest score; of equals the first. */
static inline int @p@_predict(const uint8_t *x)
{
    int32_t scores[@P@_CLASSES];
    int best = 0;
    @p@_scores(x, scores);
    for (int k = 1; k < @P@_CLASSES; k++)
        if (scores[k] > scores[best])
            best = k;
    return best;
}

#endif
"""


def _sizes(model: TrainedModel, prefix: str) -> list[str]:
    upper = prefix.upper()
    return [
        f"#define {upper}_FEATURES {model.coding.features}",
        f"#define {upper}_INPUTS {model.recipe.sample[0]}",
        f"#define {upper}_CLASSES {model.recipe.layers[-1]}",
        f"#define {upper}_PLANES {model.recipe.sample[1]}",
        f"#define {upper}_DATASET {_text(model.dataset)}",
        f"#define {upper}_STATE_SHA256 \"{model.state_sha256}\"",
        "",
        f"static const char *const {prefix}_class_names[{model.recipe.layers[-1]}] = {{",
        *lines_of(map(_text, model.class_names)),
        "};",
    ]


def _text(text: str) -> str:
    """A C string literal: what is not plain ASCII as octal UTF-8, no trigraph."""
    plain = (chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}"
             for byte in text.encode("utf-8", "replace"))
    return f'"{"".join(plain)}"'


def _masks(ones: npt.NDArray[np.bool_]) -> list[str]:
    """Rows of bits as words in hexadecimal, row after row."""
    padded = np.pad(ones, ((0, 0), (0, -ones.shape[1] % WORD)))
    words = np.packbits(padded, axis=1, bitorder="little").view("<u4")
    return [f"0x{word:08X}u" for word in words.ravel().tolist()]


def _weights(model: TrainedModel, prefix: str) -> list[str]:
    lines = []
    for i, layer in enumerate(model.trits()[-model.recipe.depth:], 1):
        lines.append(f"/* Layer {i}: {layer.shape[1]} inputs, {layer.shape[0]} outputs. */")
        for sign, ones in (("plus", layer > 0), ("minus", layer < 0)):
            masks = _masks(ones)
            lines += [f"static const uint32_t {prefix}_{sign}_{i}[{len(masks)}] TRITGRAD_ROM = {{",
                      *lines_of(masks), "};"]
        lines.append("")
    for i, codes in enumerate(_codes(model), 1):
        lines += [f"static const uint8_t {prefix}_codes_{i}[{len(codes)}] = {{",
                  *lines_of(map(str, codes.tolist())), "};", ""]
    return lines


def _codes(model: TrainedModel) -> list[npt.NDArray[np.uint8]]:
    """Codes of the rows' factors of each layer; none without scales."""
    scales = RowScales.of(model.parts)
    return [] if scales is None else [np.asarray(codes, np.uint8) for codes in scales.codes]


def _scale(model: TrainedModel, prefix: str) -> list[str]:
    first, *others = model.coding.steps
    if others or not isinstance(first, Planes):
        return c_coding(model.coding, prefix)
    low, high = first.scaling.minimum.tolist(), first.scaling.maximum.tolist()
    values: dict[str, object] = {"p": prefix, "P": prefix.upper()}
    if len(set(low)) == len(set(high)) == 1:
        return [_fill(SCALE, values | {"low": repr(low[0]), "high": repr(high[0])})]
    lines = []
    for name, numbers in (("minimum", low), ("maximum", high)):
        lines += [f"static const double {prefix}_{name}[{len(numbers)}] = {{",
                  *lines_of(map(repr, numbers)), "};", ""]
    places = {"low": f"{prefix}_minimum[i]", "high": f"{prefix}_maximum[i]"}
    return [*lines, _fill(SCALE, values | places)]


def _scores(model: TrainedModel, prefix: str) -> list[str]:
    recipe, upper = model.recipe, prefix.upper()
    hidden = recipe.layers[1:-1]
    top = (1 << recipe.activation_bits) - 1
    lines = [
        f"/* Exact scores of {upper}_CLASSES classes, from inputs of {upper}_PLANES bits. */",
        f"static inline void {prefix}_scores(const uint8_t *x, int32_t *scores)", "{",
    ]
    if hidden:
        lines += [f"    int32_t z[{max(hidden)}];", f"    uint8_t h[{max(hidden)}];"]
    source, bits = "x", recipe.planes
    if recipe.conv is not None:
        lines += [f"    uint8_t features[{recipe.conv.outputs}];",
                  f"    {prefix}_convolve(x, features);"]
        source = "features"
    for i, (outputs, inputs) in enumerate(recipe.shapes, 1):
        target = "scores" if i == recipe.depth else "z"
        lines.append(f"    {prefix}_layer({prefix}_plus_{i}, {prefix}_minus_{i}, {inputs}, "
                     f"{outputs}, {bits}, {source}, {target});")
        if skip := recipe.skips[i - 1]:
            lines.append(f"    {prefix}_skip({source}, {inputs}, {skip - 1}, {target});")
        if _codes(model):
            lines.append(f"    {prefix}_rescale({prefix}_codes_{i}, {outputs}, {target});")
        if target == "z":
            shift = recipe.shifts[i - 1]
            lines.append(f"    {prefix}_activate(z, {outputs}, {shift}, {top}, h);")
        source, bits = "h", recipe.activation_bits
    return [*lines, "}", ""]
