"""What the records of all units say together, of one core or of any."""

import itertools
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from ..errors import ConfigError
from ..firmware.frames import (
    CORE_FIELDS,
    IMAGE_FIELDS,
    LAYER_FIELDS,
    ROWS_FIELDS,
    Fields,
    Space,
    size_of,
)
from ..firmware.isa import INSTRUCTIONS, Op
from . import UNITS
from .record import Column, Config, Memory, Option, Run, Unit, Window
from .run_part import RunPart

__all__ = ["CHOICES", "COLUMNS", "HELLO_FIELDS", "HELLO_TAIL", "LAYER_ROW", "OPTIONS", "TRAINING",
           "available", "check", "hello_fields", "hello_tail", "implied", "memories", "needed_by",
           "options_of", "recipe_fields", "refused_pairs", "run_parts", "status_parts",
           "status_tail", "takes", "unit_of", "wanted", "windows"]

#: The options of all units by field, in their order in `CoreConfig`.
OPTIONS: dict[str, Option] = {option.name: option for unit in UNITS for option in unit.options}

#: Those of a run of training, in the order of its help.
TRAINING: dict[str, Option] = {option.name: option for unit in UNITS for option in unit.training}

#: Those that are chosen one by one: of a unit that is given whole, the first.
CHOICES: dict[str, Option] = {option.name: option for unit in UNITS
                              for option in unit.options[:1 if unit.whole else None]}

#: What a core tells of itself. New units come last; an option added to an older one moves the
#: fields behind it, which a new `firmware.frames.PROTOCOL_VERSION` must tell.
HELLO_FIELDS: Fields = (*CORE_FIELDS, *((o.name, o.code) for unit in UNITS if not unit.whole
                                        for o in unit.options))
#: What follows in a core that has the unit.
HELLO_TAIL: Fields = tuple((o.name, o.code) for unit in UNITS if unit.whole for o in unit.options)

#: Addresses of the link have 16 bits.
MAX_DEPTH = 65536

#: Fields of a row of the layer table that units have, and the whole row.
COLUMNS: tuple[Column, ...] = tuple(column for unit in UNITS for column in unit.columns)
LAYER_ROW: Fields = (*LAYER_FIELDS, *((column.name, column.code) for column in COLUMNS))

_OWNERS: dict[str, Unit] = {option.name: unit for unit in UNITS for option in unit.options}
_NEEDS = {op: unit for unit in UNITS for op in unit.ops}


def unit_of(field: str) -> Unit:
    """The unit that an option belongs to."""
    return _OWNERS[field]


def needed_by(op: Op) -> Unit | None:
    """The unit without which a core does not have an instruction; None if each has it."""
    return _NEEDS.get(op)


def available(config: Config) -> tuple[Op, ...]:
    """The instructions of a core."""
    return tuple(op for op in INSTRUCTIONS if op not in _NEEDS or _NEEDS[op].within(config))


def hello_fields(config: Config) -> Fields:
    """What a core tells of itself in answer to HELLO."""
    whole = any(unit.whole and unit.within(config) for unit in UNITS)
    tail = HELLO_TAIL if whole else ()
    rows = ROWS_FIELDS if config.update_rows > 1 else ()
    while tail and not rows and getattr(config, tail[-1][0]) == OPTIONS[tail[-1][0]].default:
        tail = tail[:-1]
    return (*HELLO_FIELDS, *tail, *(IMAGE_FIELDS if config.store_shift else ()), *rows)


def hello_tail(size: int) -> Fields:
    """What the answer to HELLO has in so many bytes behind `HELLO_FIELDS`; at least what must be.

    It may end before options that are as by default, and have `IMAGE_FIELDS` and `ROWS_FIELDS`
    behind them; before the latter it is whole.
    """
    return next((tail for tail in _tails() if size_of(tail) == size), HELLO_TAIL)


def _tails() -> Iterator[Fields]:
    """All that it may have, of different sizes."""
    shorter = [HELLO_TAIL]
    while OPTIONS[shorter[-1][-1][0]].default:
        shorter.append(shorter[-1][:-1])
    for images in (), IMAGE_FIELDS:
        yield from ((*tail, *images) for tail in ((), *shorter))
        yield from ((*tail, *images, *ROWS_FIELDS) for tail in ((), HELLO_TAIL))


def takes(config: Config, socket: str) -> bool:
    """Whether anything of a core is joined at a socket (`units.record.SOCKETS`)."""
    return any(getattr(config, option.name) and socket in (
        *option.sockets, *(unit.sockets if option.name == unit.field else ()))
        for unit in UNITS for option in unit.options)


def status_parts(config: Config) -> dict[str, int]:
    """Bytes that each unit of a core adds to the answer to STATUS, a number, in their order."""
    return {unit.name: unit.status_bytes for unit in UNITS
            if unit.status_bytes and unit.within(config)}


def status_tail(config: Config) -> int:
    """Bytes that units add to the answer to STATUS."""
    return sum(status_parts(config).values())


def windows(config: Config) -> dict[Space, Window]:
    """The memories beside T and R that the link reaches in a core."""
    return {window.space: window for unit in UNITS if unit.within(config)
            for window in unit.windows}


def memories(config: Config) -> tuple[Memory, ...]:
    """The memories that a core has for the sake of its units."""
    return tuple(memory for unit in UNITS if unit.within(config)
                 for memory in unit.memories(config))


@cache
def run_parts() -> tuple[RunPart, ...]:
    """What runs do for units, in their order; loads the model."""
    return tuple(unit.loaded("run", unit.run)() for unit in UNITS if unit.run)


def recipe_fields(run: Run) -> dict[str, Any]:
    """Fields of a recipe that a run asks for with the options of units."""
    return {name: value for part in run_parts() for name, value in part.recipe(run).items()}


def options_of(recipe: Any, parts: Mapping[str, Any]) -> dict[str, Any]:
    """Options of units with which a run goes on with a network of a recipe and such parts."""
    return {name: value for part in run_parts()
            for name, value in part.options(recipe, parts).items()}


def wanted(run: Run) -> dict[str, int]:
    """Fields of `CoreConfig` that a run asks for with the options of units."""
    return {name: value for unit in UNITS for name, value in unit.wanted(run).items()}


def implied(field: str) -> set[str]:
    """An option and those without which it cannot be, where they are not there by default."""
    unit = _OWNERS[field]
    wanted = {name for name in unit.needs if not OPTIONS[name].default}
    own = {option.name for option in unit.options if not option.default} if unit.whole else {
        field, unit.field}
    return own.union(*map(implied, wanted))


def refused_pairs() -> dict[frozenset[str], str]:
    """Options that do not go together, and why.

    Beside an option that is there by default stand those that need it. A field that is no unit's
    option, such as ``drain``, stands for its value that is not the default one.
    """
    direct = {frozenset((unit.field, other)): reason for unit in UNITS
              for other, reason in (unit.needs | unit.excludes).items()
              if other in unit.excludes or OPTIONS[other].default}
    others = {other for unit in UNITS for other in unit.excludes} - OPTIONS.keys()
    sets = {field: implied(field) for field in CHOICES} | {other: {other} for other in others}
    return {frozenset((a, b)): direct[pair] for a, b in itertools.combinations(sets, 2)
            for pair in (frozenset((x, y)) for x in sets[a] for y in sets[b]) if pair in direct}


def check(config: Config) -> None:
    """Refuse a configuration that the records of its units do not allow.

    Raises
    ------
    ConfigError
        Names the field, its value and what is allowed.
    """
    for field, option in OPTIONS.items():
        value = getattr(config, field)
        on = value if field == _OWNERS[field].field else value != option.absent
        if on and (fault := next(_faults(config, option), None)):
            raise ConfigError(fault)


def _faults(config: Config, option: Option) -> Iterator[str]:
    """What speaks against an option that is on."""
    unit, value = _OWNERS[option.name], getattr(config, option.name)
    must = f"{option.name} must be {option.absent!r}"
    ending = "" if option.flag else f", not {value!r}"
    if option.name != unit.field:
        if not unit.within(config):
            yield f"{must} where {unit.field} is {getattr(config, unit.field)!r}{ending}"
        return
    for other in unit.needs:
        if not getattr(config, other):
            yield f"{must} where {other} is {getattr(config, other)!r}{ending}"
    for other in unit.excludes:
        found = getattr(config, other)
        if found != config.default(other):
            yield f"{must} where {other} is {found!r}{ending}"
    for window in unit.windows:
        if window.depth(config) > MAX_DEPTH:
            yield (f"{must} where {window.depth(config)} words of memory {window.space.name} "
                   f"(hidden_depth {config.hidden_depth}) exceed {MAX_DEPTH}{ending}")
    for more in unit.checks:
        if fault := more(config):
            yield fault

