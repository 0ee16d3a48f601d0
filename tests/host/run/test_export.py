import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tritgrad.errors import BadInput
from tritgrad.host.data.codings.coding import Coding
from tritgrad.host.data.codings.spec import fit
from tritgrad.host.data.scaling import Scaling
from tritgrad.host.run.export import c_header, write_c_header, write_npz
from tritgrad.host.run.model_file import TrainedModel
from tritgrad.model.arithmetic import activate, forward
from tritgrad.model.recipe import Recipe

COMPILER = next((c for c in ("cc", "gcc", "clang") if shutil.which(c)), None)
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler on this machine")

#: Reads samples of `FEATURES` doubles; prints inputs, scores and prediction of each in a line.
MAIN = r"""
#include <stdio.h>
#include "net.h"
int main(void)
{
    double v[TRITGRAD_FEATURES];
    uint8_t x[TRITGRAD_INPUTS];
    int32_t s[TRITGRAD_CLASSES];
    for (int k = 0; k < TRITGRAD_CLASSES; k++)
        printf("%s\n", tritgrad_class_names[k]);
    printf("--\n");
    while (fread(v, sizeof v, 1, stdin) == 1) {
        tritgrad_scale(v, x);
        tritgrad_scores(x, s);
        for (int i = 0; i < TRITGRAD_INPUTS; i++) printf("%d ", x[i]);
        for (int k = 0; k < TRITGRAD_CLASSES; k++) printf("%ld ", (long)s[k]);
        printf("%d\n", tritgrad_predict(x));
    }
    return 0;
}
"""


def network(layers: tuple[int, ...], bits: int, activation_bits: int, planes: int, seed: int,
            **more: Any) -> TrainedModel:
    rng = np.random.default_rng(seed)
    half = 1 << (bits - 1)
    depth = len(layers) - 1
    recipe = Recipe(layers, bits, activation_bits, planes, (0,) * depth,
                    tuple(rng.integers(0, 6, depth - 1).tolist()), margin=8, epochs=1, seed=seed)
    counters = tuple(rng.integers(-half, half, shape, np.int16) for shape in recipe.shapes)
    low = rng.normal(size=layers[0])
    high = np.where(rng.random(layers[0]) < 0.1, low, low + rng.exponential(3, layers[0]))
    fields: dict[str, Any] = {
        "recipe": recipe, "rule": "margin", "counters": counters,
        "class_names": tuple(f"class {k}" for k in range(layers[-1])),
        "coding": Coding.plain(Scaling(low, high), planes), "dataset": "some data.csv"}
    return TrainedModel(**{**fields, **more})


def golden(model: TrainedModel, x: npt.NDArray[np.uint8]) -> list[int]:
    h = x.astype(np.int64)
    *hidden, last = [layer.astype(np.int64) for layer in model.trits()]
    for weights, shift in zip(hidden, model.recipe.shifts, strict=True):
        h, _ = activate(forward(weights, h), shift, model.recipe.activation_bits)
    return forward(last, h).tolist()


STRICT = ("-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror")


def run_c(model: TrainedModel, values: npt.NDArray[np.float64], folder: Path,
          ) -> tuple[list[str], list[list[int]]]:
    """Class names and rows of numbers that the compiled header prints."""
    write_c_header(model, folder / "net.h")
    (folder / "main.c").write_text(MAIN)
    subprocess.run([str(COMPILER), "-std=c99", "-O1", *STRICT, "-o", "net", "main.c"], cwd=folder,
                   check=True)
    out = subprocess.run([folder / "net"], input=values.tobytes(), capture_output=True, check=True)
    names, _, rows = out.stdout.decode().partition("--\n")
    return names.splitlines(), [[int(n) for n in row.split()] for row in rows.splitlines()]


@needs_compiler
@pytest.mark.parametrize("layers, bits, activation_bits, planes", [
    ((13, 8, 3), 8, 4, 4), ((5, 2), 6, 4, 8), ((64, 33, 32, 10), 10, 4, 1), ((1, 1, 2), 8, 1, 3),
    ((100, 65, 31, 7), 14, 8, 8), ((784, 40, 10), 8, 4, 2),
])
def test_compiled_header_equals_the_golden_model(
        tmp_path: Path, layers: tuple[int, ...], bits: int, activation_bits: int,
        planes: int) -> None:
    model = network(layers, bits, activation_bits, planes, seed=sum(layers))
    rng = np.random.default_rng(1)
    fitted = model.coding.stored()[1]
    scaling = Scaling(fitted["coding_1_minimum"], fitted["coding_1_maximum"])
    spread = scaling.maximum - scaling.minimum
    values = scaling.minimum + spread * rng.uniform(-0.3, 1.3, (60, layers[0]))
    values[0], values[1] = 1e300, -1e300
    values[2], values[3] = scaling.minimum, scaling.maximum
    names, rows = run_c(model, values, tmp_path)
    assert names == list(model.class_names)
    for x, row in zip(model.coding.apply(values), rows, strict=True):
        scores = golden(model, x)
        assert row == [*x.tolist(), *scores, int(np.argmax(scores))]


@needs_compiler
def test_pixels_ties_and_hostile_names(tmp_path: Path) -> None:
    names = ("a\"b", "back\\slash", "??/ */ //", "Käse 1", "%s%n", "")
    model = network((16, 6), 8, 4, 3, 3, class_names=names, dataset="*/ \"x\"\\ ??/",
                    coding=Coding.plain(Scaling.fixed(0, 255, 16), 3))
    pixels = np.random.default_rng(0).integers(0, 256, (256, 16)).astype(np.float64)
    pixels[0] = 0
    printed, rows = run_c(model, pixels, tmp_path)
    assert printed == list(names)
    assert rows[0][-1] == 0, "of equal scores the first wins"
    for pixel, row in zip(pixels, rows, strict=True):
        assert row[:16] == (pixel.astype(int) >> 5).tolist()


def test_header_names_no_path_and_is_reproducible() -> None:
    model = network((13, 8, 3), 8, 4, 4, 0)
    text = c_header(model)
    assert text == c_header(model)
    assert text.isascii() and str(Path.cwd()) not in text
    assert max(map(len, text.splitlines())) <= 120
    assert f'"{model.state_sha256}"' in text


def test_prefix_keeps_two_networks_apart() -> None:
    text = c_header(network((13, 8, 3), 8, 4, 4, 0), prefix="wine")
    assert "tritgrad_" not in text and "static inline int wine_predict(" in text
    for prefix in ("a__b", "a_"):
        with pytest.raises(BadInput, match=r"^prefix must not end in _ or hold __"):
            c_header(network((4, 3, 2), 8, 4, 4, 0), prefix=prefix)
    for prefix in ("", "1a", "a-b", "naïve", "a b", "_x"):
        with pytest.raises(BadInput, match=r"^prefix must be a C identifier, not "):
            c_header(network((4, 3, 2), 8, 4, 4, 0), prefix=prefix)


@needs_compiler
@pytest.mark.parametrize("language", ["c99", "c11", "c++11"])
def test_two_networks_in_one_unit(tmp_path: Path, language: str) -> None:
    for prefix, seed in (("one", 1), ("two", 2)):
        write_c_header(network((13, 8, 3), 8, 4, 4, seed), tmp_path / f"{prefix}.h", prefix)
    (tmp_path / "main.c").write_text(
        '#include "one.h"\n#include "two.h"\n#include "one.h"\n'
        "int main(void) { uint8_t x[13] = {0}; double f[13] = {0}; one_scale(f, x);\n"
        "two_scale(f, x); return one_predict(x) + two_predict(x) - one_class_names[0][0]\n"
        "+ two_class_names[0][0]; }\n")
    words = ["-x", "c++"] if language.startswith("c++") else []
    subprocess.run([str(COMPILER), *words, f"-std={language}", *STRICT, "-o", "both", "main.c"],
                   cwd=tmp_path, check=True)


@needs_compiler
@pytest.mark.parametrize("second", ["net", "NET", "Net"])
def test_two_networks_of_one_prefix_do_not_compile(tmp_path: Path, second: str) -> None:
    write_c_header(network((13, 8, 3), 8, 4, 4, 1), tmp_path / "one.h", "net")
    write_c_header(network((13, 8, 3), 8, 4, 4, 2), tmp_path / "two.h", second)
    (tmp_path / "main.c").write_text('#include "one.h"\n#include "two.h"\n')
    done = subprocess.run([str(COMPILER), "-fsyntax-only", "main.c"], cwd=tmp_path,
                          capture_output=True, text=True)
    assert done.returncode != 0 and "export one of them with another --prefix" in done.stderr


@needs_compiler
def test_where_double_is_float_nothing_scales(tmp_path: Path) -> None:
    write_c_header(network((13, 8, 3), 8, 4, 4, 1), tmp_path / "net.h", "net")
    short = ["-U__SIZEOF_DOUBLE__", "-D__SIZEOF_DOUBLE__=4", "-Wno-builtin-macro-redefined"]
    for body, works in (("net_predict(x)", True), ("(net_scale(f, x), 0)", False)):
        (tmp_path / "main.c").write_text(
            '#include "net.h"\nint main(void) { uint8_t x[13] = {0}; double f[1] = {0}; (void)f;'
            f" return {body}; }}\n")
        done = subprocess.run([str(COMPILER), "-std=c99", "-Werror=implicit-function-declaration",
                               *short, "-fsyntax-only", "main.c"], cwd=tmp_path,
                              capture_output=True)
        assert (done.returncode == 0) == works


@needs_compiler
def test_weights_lie_where_the_hook_says(tmp_path: Path) -> None:
    write_c_header(network((40, 8, 3), 8, 4, 4, 1), tmp_path / "net.h", "net")
    (tmp_path / "main.c").write_text(
        '#include <stdint.h>\n#define TRITGRAD_ROM __attribute__((section("rom")))\n'
        "static uint32_t far_word(const uint32_t *p);\n#define TRITGRAD_READ(p) far_word(p)\n"
        '#include "net.h"\nstatic int reads;\n'
        "static uint32_t far_word(const uint32_t *p) { reads++; return *p; }\n"
        "int main(void) { uint8_t x[40] = {0}; net_predict(x); "
        "return reads != 2 * (4 * 2 * 8 + 4 * 3); }\n")
    subprocess.run([str(COMPILER), "-std=c99", "-o", "net", "main.c"], cwd=tmp_path, check=True)
    subprocess.run([tmp_path / "net"], check=True)
    assert b"rom" in (tmp_path / "net").read_bytes()


def test_the_weights_are_in_flash_on_avr(tmp_path: Path) -> None:
    avr = shutil.which("avr-gcc")
    if avr is None:
        pytest.skip("needs avr-gcc and avr-libc")
    write_c_header(network((100, 30, 3), 8, 4, 1, 1), tmp_path / "net.h", "net")
    (tmp_path / "main.c").write_text(
        '#include "net.h"\nint main(void) { static uint8_t x[100]; return net_predict(x); }\n')
    subprocess.run([avr, "-mmcu=atmega328p", "-std=c99", "-Os", *STRICT, "-o", "net.elf",
                    "main.c"], cwd=tmp_path, check=True)
    table = subprocess.run([avr.replace("gcc", "objdump"), "-h", "net.elf"], cwd=tmp_path,
                           capture_output=True, text=True, check=True).stdout
    sizes = {row[1]: int(row[2], 16) for line in table.splitlines()
             if len(row := line.split()) > 6 and row[1].startswith(".")}
    assert sizes[".text"] > 2 * 30 * 4 * 4
    assert sizes.get(".data", 0) < 100


def test_npz(tmp_path: Path) -> None:
    model = network((13, 8, 3), 8, 4, 4, 0)
    path = tmp_path / "trits.npz"
    write_npz(model, path)
    with np.load(path, allow_pickle=False) as stored:
        assert sorted(stored.files) == [
            "activation_bits", "class_names", "layers", "planes", "scaling_maximum",
            "scaling_minimum", "shifts", "trits_1", "trits_2"]
        for i, layer in enumerate(model.trits(), 1):
            assert stored[f"trits_{i}"].dtype == np.int8
            assert (stored[f"trits_{i}"] == layer).all()
        assert stored["layers"].tolist() == [13, 8, 3]
        assert stored["shifts"].tolist() == list(model.recipe.shifts)
        assert (stored["planes"], stored["activation_bits"]) == (4, 4)
        assert stored["class_names"].tolist() == list(model.class_names)
        assert (stored["scaling_minimum"] == model.coding.stored()[1]["coding_1_minimum"]).all()


@needs_compiler
@pytest.mark.parametrize("text", [
    "signed", "signed:2,repeat:3", "thermometer:5,select:20", "edges:20+60:4:1",
    "deskew:90,planes:3", "deskew:60,edges:30:8:2,select:9",
    "channels:20+60+90:3"])
def test_coded_inputs_in_c_equal_the_models(tmp_path: Path, text: str) -> None:
    rng = np.random.default_rng(5)
    values = np.round(rng.normal(size=(80, 20)) * 40, 1)
    values[:, 3] = 3.7
    coding = fit(text, values[:50], np.arange(50), image_shape=(4, 5))
    model = network((coding.inputs, 7, 3), 8, 4, coding.planes, 3, coding=coding)
    _, rows = run_c(model, values, tmp_path)
    for x, row in zip(coding.apply(values), rows, strict=True):
        scores = golden(model, x)
        assert row == [*x.tolist(), *scores, int(np.argmax(scores))]
