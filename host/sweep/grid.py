"""The runs of a sweep, from what is typed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from ...errors import BadInput
from ..data.row_options import READING
from ..run.ensemble import MEMBER
from ..run.option_list import GOING_ON, TRAIN
from ..run.options import TrainOptions

__all__ = ["Point", "parse_grid", "parse_seeds", "points"]

#: Options that a grid may have: what decides a network and how it learns.
OPTIONS = {option.name: option for option in TRAIN if option.help and not option.free
           and option not in (*READING, *GOING_ON)
           and option.name not in ("test_fraction", "val_fraction", "seed")}
#: Most runs of a sweep.
MOST = 10_000


@dataclass(frozen=True)
class Point:
    """One run of a sweep: the values of the grid that it has, by option, as typed, and its seed."""

    values: tuple[tuple[str, str], ...]
    options: TrainOptions

    @property
    def setting(self) -> str:
        """The values without the seed; what runs of other seeds share."""
        return " ".join(f"{name}={value}" for name, value in self.values) or "all"

    @property
    def folder(self) -> str:
        """The folder of the runs of the setting; their networks are an ensemble."""
        return "".join(c if c.isalnum() or c in "=.-+" else "_" for c in self.setting)

    @property
    def name(self) -> str:
        """Where in the sweep's folder the run is."""
        return f"{self.folder}/{MEMBER}{self.options.seed}"


def parse_seeds(text: str) -> tuple[int, ...]:
    """Seeds such as ``1-5`` or ``1,2,7-9``. Raises `BadInput`."""
    seeds: list[int] = []
    for part in text.split(","):
        low, dash, high = part.strip().partition("-")
        if not low.isdecimal() or (dash and not high.isdecimal()):
            raise BadInput(f"--seeds must be numbers and ranges such as 1-5,8, not {text!r}")
        first, last = int(low), int(high or low)
        if not 0 <= last - first < MOST:
            raise BadInput(f"--seeds {part.strip()} must be a range from a lower to a higher "
                           f"number, of at most {MOST}")
        seeds += range(first, last + 1)
    if len(set(seeds)) < len(seeds):
        raise BadInput(f"--seeds {text} names a seed twice")
    return tuple(seeds)


def parse_grid(texts: Sequence[str]) -> dict[str, list[str]]:
    """Values by option from texts such as ``hidden=64,128``. Raises `BadInput`."""
    grid: dict[str, list[str]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        name = name.strip().lstrip("-").replace("-", "_")
        if not equals or not values:
            raise BadInput(f"--grid must be OPTION=VALUE[,VALUE...], not {text!r}")
        if name not in OPTIONS:
            raise BadInput(f"--grid has no {name}; it has {', '.join(OPTIONS)}")
        if name in grid:
            raise BadInput(f"--grid {name} is there twice; give all its values in one")
        grid[name] = [value.strip() for value in values.split(",")]
        if len(set(grid[name])) < len(grid[name]):
            raise BadInput(f"--grid {text} has a value twice")
    return grid


def points(base: TrainOptions, grid: dict[str, list[str]], seeds: Sequence[int]) -> list[Point]:
    """All runs, those of a setting together. Raises `BadInput` of values that no run can have."""
    settings = list(product(*([(name, value) for value in values]
                              for name, values in grid.items())))
    if len(settings) * len(seeds) > MOST:
        raise BadInput(f"--grid and --seeds make {len(settings) * len(seeds):,} runs; at most "
                       f"{MOST:,} are possible")
    return [Point(values, replace(base, seed=seed, **{name: _value(name, value)
                                                      for name, value in values}))
            for values in settings for seed in seeds]


def _value(name: str, text: str) -> Any:
    """A value in its option's own type."""
    option = OPTIONS[name]
    if text == "default" and option.default is None:
        return None
    try:
        return option.parse(text, f"--grid {name}", "x")
    except ValueError as error:
        raise BadInput(str(error)) from None
