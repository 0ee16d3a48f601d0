"""The recipes by name: one state on the golden model, the RTL and a virtual iCEBreaker."""

import json
from pathlib import Path

import numpy as np
import pytest

from tritgrad.boards import find_board
from tritgrad.host.device import serial_port
from tritgrad.host.run.recipes import RECIPES
from tritgrad.sim.board import CompiledBoard
from tritgrad.sim.virtual import ModelBoard

from ...sim.ports import serving
from ..command import call, refusal

pytestmark = pytest.mark.usefixtures("folder")

#: The recipe's own network has weights that take minutes to send; its first layer is as wide.
SMALL = ["--hidden", "8", "--epochs", "3", "--clean-epochs", "1"]
#: Inputs of each recipe.
INPUTS = {"r1": 784, "r2": 3136, "r4": 1568}
#: Recipes that the board's own core has room for.
ON_BOARD = ("r1",)


def pictures(rows):
    """Images of ten kinds of strokes, drawn anew each time."""
    rng = np.random.default_rng(9)
    y = np.arange(rows) % 10
    x = np.zeros((rows, 28, 28), np.uint8)
    for image, kind in zip(x, y, strict=True):
        r, c = rng.integers(4, 9, 2)
        image[r:r + 4 + 2 * (kind % 5), c + kind:c + kind + 3] = rng.integers(60, 256)
        image[r + kind:r + kind + 3, c:c + 12] = rng.integers(60, 256)
    return x, y


CORE = ["--lanes", "8", "--banks", "2"]


def trained(recipe, device, number, core=()):
    told = call("train", "--dataset", "rows.npz", "--recipe", recipe, *SMALL, "--device", device,
                *core, "--out", f"run{number}", "--json")
    result = json.loads(told.stdout.splitlines()[-1])
    return {name: result[name] for name in ("state_sha256", "train_accuracy", "test_accuracy",
                                            "updates_by_epoch", "layers")}


@pytest.mark.parametrize("recipe", sorted(INPUTS))
def test_one_state_on_model_rtl_and_board(recipe, monkeypatch):
    x, y = pictures(24)
    np.savez("rows.npz", x_train=x[:20], y_train=y[:20], x_test=x[20:], y_test=y[20:])
    model = trained(recipe, "model", 1)
    assert trained(recipe, "sim", 2, CORE) == model
    assert model["layers"] == [INPUTS[recipe], 8, 10]
    assert sum(model["updates_by_epoch"]) > 10
    if recipe not in ON_BOARD:
        return
    monkeypatch.setattr(serial_port, "CONTACT_S", 60.0)  # a busy machine needs its time
    monkeypatch.setattr(serial_port, "FIRST_BYTE_S", 0.01)
    with CompiledBoard.of(find_board("icebreaker")) as board:
        with serving(board, Path.cwd()) as port:
            assert trained(recipe, f"icebreaker@{port.link}", 3) == model


@pytest.mark.parametrize("recipe", sorted(set(INPUTS) - set(ON_BOARD)))
def test_a_board_without_room_says_so(recipe):
    x, y = pictures(24)
    np.savez("rows.npz", x=x, y=y)
    with serving(ModelBoard(find_board("icebreaker").config), Path.cwd()) as port:
        told = refusal("train", "--dataset", "rows.npz", "--recipe", recipe, *SMALL, "--device",
                       f"icebreaker@{port.link}", "--out", "run")
    assert f"cannot hold the network {INPUTS[recipe]}-8-10" in told


def test_every_recipe_is_tried():
    on_model = {name for name, options in RECIPES.items() if "conv" in options}
    assert set(INPUTS) == set(RECIPES) - on_model
