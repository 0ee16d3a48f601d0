"""How a rule works on a device and on the golden model."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..errors import BadInput
from ..firmware.assembler import AssemblyError, assemble
from ..firmware.isa import Op, decode
from ..model.config import CoreConfig
from ..model.fast import TrainStats
from ..model.recipe import Recipe
from ..model.state import NetworkState, initial_state, parts_of
from ..units.registry import needed_by
from .record import Rule

__all__ = ["Golden", "Method", "ProgramMethod", "checked_program", "method_of"]

#: Samples that a core keeps for a program that asks for resident ones.
KEPT = 127
#: Instructions that a core has room for, if nothing else is asked for, and the most.
DEPTH, MOST = 32, 256
#: What a program says of the run: samples of a chunk, the margin, the exponent of REFRESH, and
#: CUTOFF's operand, by which the support stays as it is once the run purges no more.
SYMBOLS = ("samples", "margin", "refresh", "rest")


class Golden(Protocol):
    """A rule on the golden model."""

    chunk: int  #: samples that are worth a call

    def start(self) -> None:
        """Set the state that the recipe's seed says."""

    def load(self, state: NetworkState) -> None:
        """Set a state."""

    def state(self) -> NetworkState:
        """All that training changes; counters are int16."""

    def train(self, x: npt.NDArray[np.uint8], y: npt.NDArray[np.int64], gains: Sequence[int],
              rest: bool) -> TrainStats:
        """Learn samples (rows, inputs) in their order."""

    def scores(self, x: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
        """Scores (rows, classes)."""


class Method:
    """A rule in a run.

    Parameters
    ----------
    rule
        Its record.
    recipe
        Sizes, formats, shifts, margin and seed.
    settings
        The rule's own options by name, those that are given.

    Attributes
    ----------
    chunk
        Samples of a run of its program.
    passes
        How often a sample goes forward in it; each counts.
    counts
        Whether the device counts the samples (ERR and LOSS do).
    reorders
        Whether inputs may lie in another order on a device.
    """

    chunk = 512
    passes = 1
    counts = True
    reorders = True

    def __init__(self, rule: Rule, recipe: Recipe, settings: Mapping[str, int]):
        self.rule, self.recipe, self.settings = rule, recipe, settings

    def program(self, samples: int, rest: bool) -> list[int]:
        """The instructions for so many samples; with `rest` the support stays as it is."""
        raise NotImplementedError

    def core(self) -> dict[str, int]:
        """Fields of the core that it needs, beside those of the run's other options."""
        return {}

    def check(self, core: CoreConfig, name: str) -> None:
        """Raise `BadInput` unless the core of a device of this name can learn it."""

    def gains(self, gains: Sequence[int]) -> Sequence[int]:
        """The gain exponents in force, of those of the recipe."""
        return gains

    def first_prng(self) -> int:
        """The PRNG's state at the start of a run."""
        return initial_state(self.recipe).prng

    def report(self) -> dict[str, int]:
        """Its numbers, for the report of a run."""
        return {}

    def golden(self) -> Golden | None:
        """It on the golden model; None: the reference machine runs its program."""
        return self.rule.part(self.rule.golden)(self) if self.rule.golden else None


def method_of(rule: Rule, recipe: Recipe, settings: Mapping[str, int]) -> Method:
    """A rule in a run."""
    kind: Any = rule.part(rule.method) if rule.method else ProgramMethod
    made: Method = kind(rule, recipe, settings)
    return made


class ProgramMethod(Method):
    """A rule that is its program."""

    def __init__(self, rule: Rule, recipe: Recipe, settings: Mapping[str, int]):
        super().__init__(rule, recipe, settings)
        ops = {Op(decode(word)[0]) for word in self.program(1, False)}
        self.counts = bool(ops & {Op.ERR, Op.LOSS}) and Op.PROBE not in ops
        self.reorders = Op.PROBE not in ops
        self._units = {unit.field for op in ops if (unit := needed_by(op)) is not None
                       and not unit.state and not unit.whole}
        self.chunk = KEPT if "resident" in self._units else Method.chunk

    def program(self, samples: int, rest: bool) -> list[int]:
        recipe = self.recipe
        values = {"samples": samples, "margin": recipe.margin,
                  "refresh": recipe.scale_refresh or 0, "rest": rest << 20}
        return checked_program(self.rule, recipe.depth, values, parts_of(recipe))

    def core(self) -> dict[str, int]:
        fields: dict[str, int] = {}
        if (length := len(self.program(1, False))) > DEPTH:
            fields["program_depth"] = length
        for name in self._units:
            fields[name] = KEPT if name == "resident" else True
        return fields

    def check(self, core: CoreConfig, name: str) -> None:
        words = self.program(1, False)
        if len(words) > core.program_depth:
            raise BadInput(f"{self._source} has {len(words)} instructions; {name} has room for "
                           f"{core.program_depth}")
        for word in words:
            op = Op(decode(word)[0])
            unit = needed_by(op)
            if unit is not None and not unit.within(core):
                raise BadInput(f"{self._source}: {op.name} needs a core {unit.title}; that of "
                               f"{name} is not")
        if "resident" in self._units:
            self.chunk = min(self.chunk, core.resident)

    @property
    def _source(self) -> str:
        return _source(self.rule)


def _source(rule: Rule) -> str:
    """What errors call the program: the file of a rule of the user's own, else the rule."""
    return f"--program {rule.source}" if rule.source else f"rule {rule.name}"


def checked_program(rule: Rule, depth: int, values: Mapping[str, int] | None = None,
                    kept: Collection[str] = ()) -> list[int]:
    """The instructions of a rule's program for a network with so many layers.

    Parameters
    ----------
    rule
        One that is a program.
    depth
        Layers.
    values
        Of `SYMBOLS`; 1 without.
    kept
        Units of which the run keeps something beside the counters, by name: the instructions of
        other such units are refused. Units that keep nothing are built in as they are named.

    Raises
    ------
    BadInput
        Names the file or the rule, the line, and what is wrong.
    """
    symbols = dict.fromkeys(SYMBOLS, 1) | dict(values or {})
    try:
        words = assemble(rule.text, layers=depth, symbols=symbols)
    except AssemblyError as error:
        raise BadInput(f"{_source(rule)}: {error}") from None
    if not 1 <= len(words) <= MOST:
        raise BadInput(f"{_source(rule)} must have 1 to {MOST} instructions, not {len(words)}")
    ops = {Op(decode(word)[0]) for word in words}
    if Op.RECV not in ops:
        raise BadInput(f"{_source(rule)} has no RECV: it would learn no sample")
    for op in sorted(ops):
        unit = needed_by(op)
        if unit is not None and unit.state and unit.name not in kept:
            raise BadInput(f"{_source(rule)}: {op.name} needs a core {unit.title}; give "
                           f"{unit.training[0].flags}")
        if unit is not None and "records" in unit.sockets:
            raise BadInput(f"{_source(rule)}: {op.name} makes records, which train does not read; "
                           "tritgrad trace has those of a sample")
    if Op.ERR in ops and not ops & {Op.PROBE, Op.LOSS} and (wrong := _errs(words) - {1}):
        raise BadInput(f"{_source(rule)}: a sample may come to "
                       f"{'more than one' if 2 in wrong else 'no'} ERR; each must come to one, "
                       "which counts it")
    return words


def _errs(words: Sequence[int]) -> set[int]:
    """How many ERR a sample may come to on its ways through a program; 2 are two or more."""
    found, seen = set(), set()
    waiting = [(0, False, 1)]  # address, flag, ERR so far; without a sample none may come
    while waiting:
        state = waiting.pop()
        at, flag, errs = state
        if state in seen or at >= len(words):
            continue
        seen.add(state)
        op, operand = decode(words[at])
        if op in (Op.RECV, Op.HALT):
            found.add(errs)
        if op == Op.HALT:
            continue
        errs = 0 if op == Op.RECV else min(2, errs + (op == Op.ERR))
        flags = (False, True) if op in (Op.ERR, Op.REFRESH) else (flag,)
        if op == Op.LOOP or op == Op.SKIP and not flag:
            waiting.append((operand, flag, errs))
        if op != Op.SKIP or flag:
            waiting += [(at + 1, after, errs) for after in flags]
    return found
