"""Cores for the networks behind a convolution that recipes train."""

from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import ConfigError
from ..model.convolution.nets import NETS
from ..model.front import core_fields

__all__ = ["Fitted", "behind", "builds", "fields_of", "for_recipe"]


@dataclass(frozen=True)
class Fitted:
    """How a board is fitted to a recipe's network.

    Parameters
    ----------
    at_once
        Kernels that go through an image together.
    lutram
        Memories that are to be look-up tables, beside those of the board.
    sizes
        Sizes of the core that are others than the board's.
    clock_hz
        Its clock; None: the board's.
    placer
        Options of nextpnr in place of the board's.
    aimed_hz
        What nextpnr is asked for; None: the clock. The board's own is for the board's placer.
    seeds
        Of the placer: those that the report is of.
    """

    at_once: int
    lutram: tuple[str, ...] = ()
    sizes: dict[str, int | bool] = field(default_factory=dict, hash=False)
    clock_hz: int | None = None
    placer: tuple[str, ...] = ()
    aimed_hz: int | None = None
    seeds: tuple[int, ...] = (1, 2, 3)


def fields_of(name: str, lanes: int, at_once: int) -> dict[str, int]:
    """The fields of a core for a recipe's network; see `model.front.core_fields`."""
    net = NETS[name]
    bits = max(net.conv.planes, net.conv.bits)
    return core_fields(net.conv, lanes) | {"conv_at_once": at_once, "input_planes": bits}


def for_recipe(board: Any, name: str) -> Any:
    """A `Board` with a core for a recipe's network in place of its own.

    Raises
    ------
    ConfigError
        Names the recipes that the board is fitted to, or boards that are.
    """
    fitted = board.recipes.get(name)
    if fitted is None:
        has = ", ".join(board.recipes)
        raise ConfigError(f"recipe {name} ({NETS[name]}) does not fit on {board.name}, which "
                          + (f"holds {has}" if has else "holds none with a convolution")
                          + "; tritgrad boards lists those that do")
    # as many words of activations as the network has
    sizes = {key: value for key, value in board.sizes.items() if key != "hidden_depth"}
    sizes |= fitted.sizes
    sizes |= fields_of(name, sizes["lanes"], fitted.at_once)
    return replace(board, recipe=name, networks=(NETS[name].layers,), sizes=sizes,
                   clock_hz=fitted.clock_hz or board.clock_hz, aimed_hz=fitted.aimed_hz,
                   placer=fitted.placer, seeds=fitted.seeds, lutram=board.lutram + fitted.lutram)


def behind(networks: tuple[tuple[int, ...], ...], sizes: dict[str, int | bool],
           ) -> tuple[tuple[int, ...], ...]:
    """Networks with the outputs of the largest image of a convolution as their inputs.

    `sizes` are of a core with one, by its fields; as many words of activations as they need are
    then in it. What is not given, or cannot be, is left to `CoreConfig` to refuse.
    """
    sizes.pop("hidden_depth", None)
    kernel, pool = int(sizes.get("conv_kernel", 0)), int(sizes.get("conv_pool", 0))
    if pool < 1:
        return networks
    rows, columns = (max(0, int(sizes.get(f"conv_{side}", 0)) - kernel + 1) // pool
                     for side in ("rows", "columns"))
    outputs = max(1, rows * columns * int(sizes["conv_kernels"]))
    return tuple((outputs, *network[1:]) for network in networks)


def builds(board: Any) -> list[Any]:
    """A board with its own core, and with that of each recipe that it is fitted to."""
    return [board, *map(board.for_recipe, board.recipes)]
