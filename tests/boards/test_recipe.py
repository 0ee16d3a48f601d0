"""Cores for recipes with a convolution: they hold the recipe's network, and fit."""

from dataclasses import replace

import pytest

from tritgrad.boards import BOARDS
from tritgrad.boards.recipe import builds
from tritgrad.boards.report import Report, last_report
from tritgrad.errors import ConfigError
from tritgrad.host.device.open import check_holds
from tritgrad.host.run.network_checks import NUMBERS
from tritgrad.host.run.options import TrainOptions
from tritgrad.host.run.recipes import RECIPES
from tritgrad.model.convolution.nets import NETS
from tritgrad.model.convolution.shape import Convolution, parse_kernels
from tritgrad.model.recipe import Recipe

FITTED = [(board, name) for board in BOARDS.values() for name in board.recipes]


def recipe_of(name):
    """The network of a recipe's options, over images of MNIST's size and ten classes."""
    options = TrainOptions(**RECIPES[name])
    kernels, kernel = parse_kernels(options.conv)
    numbers = {number: default if (value := getattr(options, name)) is None else value
               for name, (number, default) in NUMBERS.items()}
    numbers = {number: value for number, value in numbers.items() if value is not None}
    coding, _, rest = options.encode.partition(":")
    channels = int(rest.split(":")[1]) if coding == "channels" else 1
    conv = Convolution(28, 28, kernels, kernel, channels=channels, planes=2, **numbers)
    return Recipe.default((conv.outputs, *options.hidden, 10), conv.bits, gain=options.gain,
                          output_gain=options.output_gain, floor=options.floor, conv=conv,
                          counter_bits=options.counter_bits, wrong=options.wrong)


@pytest.mark.parametrize("board, name", FITTED, ids=lambda given: getattr(given, "name", given))
def test_a_board_that_lists_a_recipe_holds_its_network(board, name):
    made = board.for_recipe(name)
    made.check()
    recipe = recipe_of(name)
    assert NETS[name].conv == recipe.conv and NETS[name].layers == recipe.layers
    check_holds(made.config, recipe, board.name)
    assert made.networks == (recipe.layers,) and made.build == f"{board.name}-{name}"
    small = replace(recipe, layers=(*recipe.layers[:-2], recipe.layers[-2] // 2, 10))
    check_holds(made.config, small, board.name)
    made.resized(infer_only=True)
    if board.memory is not None:
        assert made.resized(store=True).config.store == board.memory.kind


def test_a_convolution_by_its_fields_alone():
    fields = {"conv_kernels": 24, "conv_rows": 28, "conv_columns": 28, "conv_kernel": 5,
              "conv_pool": 3, "conv_planes": 2, "conv_at_once": 4, "conv_bits": 2,
              "conv_counter_bits": 12}
    board = BOARDS["ulx3s-85f"]
    made = board.resized(network=(784, 128, 10), units=fields)
    assert made.networks == ((1536, 128, 10),) and made.recipe == ""
    check_holds(made.config, recipe_of("r6"), board.name)
    with pytest.raises(ConfigError, match="^conv_pool must be an integer from 1 to 3 where"):
        board.resized(units=fields | {"conv_pool": 0})
    with pytest.raises(ConfigError, match="does not fit on ulx3s-25f: "):
        BOARDS["ulx3s-25f"].resized(units=fields)


def test_without_a_recipe_a_board_is_what_it_was():
    for board in BOARDS.values():
        assert board.recipe == "" and board.build == board.name
        assert not board.config.conv_kernels
        assert [made.build for made in builds(board)] == [
            board.name, *(f"{board.name}-{name}" for name in board.recipes)]


def test_a_recipe_that_a_board_is_not_fitted_to_is_refused_with_those_it_is():
    with pytest.raises(ConfigError, match=r"^recipe r6 \(24 x 5x5, pool 3, 1536-128-10\) does not "
                                          "fit on ulx3s-25f, which holds r5; tritgrad boards"):
        BOARDS["ulx3s-25f"].for_recipe("r6")
    with pytest.raises(ConfigError, match="does not fit on icebreaker, which holds none with a"):
        BOARDS["icebreaker"].for_recipe("r5")


def test_the_report_of_a_recipe_is_not_that_of_the_board(tmp_path):
    board = BOARDS["ulx3s-85f"]
    report = Report(board.name, board.title, board.part, [], {}, 1, {}, {}, recipe="r6")
    (tmp_path / "ulx3s-85f-r6.json").write_text(report.as_json())
    assert last_report(board, tmp_path) is None
    assert last_report(board.for_recipe("r6"), tmp_path) == report
