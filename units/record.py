"""The record of a unit: everything that is not its circuit, in one place.

A unit is what a core can be made with or without. Its folder ``units/<name>/`` holds a `Unit` in
``__init__.py``; `tritgrad.units.UNITS` lists them. All that names units elsewhere is made from the
records: the fields of `CoreConfig` and their checks, options of the command line, the answer to
HELLO, memories that the link reaches, block memories that a board must have, what fuzz and lockstep
tests build in, and the pages of the docs.

A record imports nothing but errors, the form of options, and firmware: whoever reads it loads
neither Amaranth nor the model. Functions in it take a ``CoreConfig`` as `config` and the
``TrainOptions`` of a run as `run`.
"""

import importlib
import importlib.util
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as made
from random import Random
from types import ModuleType
from typing import Any

from ..firmware.frames import Space
from ..firmware.isa import Op
from ..option import Option

__all__ = ["SOCKETS", "Column", "Config", "Memory", "Option", "Run", "Unit", "Window", "bits_of"]

#: A ``CoreConfig``, ``TrainOptions``: not imported, as those read the records.
Config = Any
Run = Any


#: Where a unit's circuit may be joined to a core (`hw.parts.sockets`), and what each carries.
SOCKETS = {
    "dispatch": "its instructions, and what it says to the sequencer",
    "window": "the link's access to its memory",
    "changes": "counters that an update moves",
    "moves": "counters that it moves itself",
    "trits": "reads of T while no other unit works",
    "counters": "writes of T and R while no other unit works",
    "stage": "sums on their way from the array; of two, the one of the later unit is first",
    "words": "words of T on their way to the array",
    "rows": "a word for each row of a row group",
    "stored": "activations that are stored",
    "errors": "errors that are stored",
    "begins": "what sums of the backward pass begin with",
    "still": "counters that stay as they are",
    "along": "steps of an update's counters",
    "decision": "what the scores led to, and the flag",
    "peek": "reads of activations, errors and scores",
    "prng": "the generator's state",
    "records": "records for the host",
    "status": "more of the answer to STATUS",
    "guard": "the reset",
    "inputs": "its own store of samples, in place of the engine's",
    "reader": "its own order of activations, in place of the engine's",
    "masks": "activations lie at their words' places, with a mask of those that are not zero",
    "debt": "updates that keep the sums of rows mod 3",
    "training": "memory R, errors, and the update unit",
    "front": "a layer in front of the first, row 0 of the table, whose outputs are its inputs",
    "gain": "the gain exponent of an update",
    "draws": "draws of the generator and flips for counters of its own",
}


@dataclass(frozen=True)
class Window:
    """A memory that READ and WRITE reach. Words are those of the link, lane 0 lowest; in the
    reference machine the unit's part reads and writes them (`units.part.Part`).

    Parameters
    ----------
    space
        Its number.
    depth, bits, word_bytes
        Words, bits of a word in the core, and bytes of one on the link.
    memory
        Where the unit's circuit keeps it: attributes down to the `BlockRam`.
    """

    space: Space
    depth: Callable[[Config], int]
    bits: Callable[[Config], int]
    word_bytes: Callable[[Config], int]
    memory: str


def bits_of(values: range) -> int:
    """Bits of the largest of some numbers from 0 on."""
    return max(values, default=0).bit_length()


@dataclass(frozen=True)
class Column:
    """A field of the layer table's rows that a unit has; 0 leaves the unit out of a layer.

    Parameters
    ----------
    name, code
        What it is called, and its code of `struct`.
    help
        What it says.
    most
        The most that a layer may have, of a core, the layers of the table and the layer's number.
    of
        What each layer of a ``Recipe`` has.
    """

    name: str
    code: str
    help: str
    most: Callable[[Config, Sequence[Any], int], int]
    of: Callable[[Any], Sequence[int]]


@dataclass(frozen=True)
class Memory:
    """A memory of a core: so many copies of `depth` words of `width` bits.

    `field` is the field of `CoreConfig` that a user would change for it to be smaller, and `path`
    where it is in the core: the names of the modules down to it, copies with a number behind.
    """

    name: str
    field: str
    depth: int
    width: int
    path: str
    copies: int = 1


@dataclass(frozen=True)
class Unit:
    """A unit of a core.

    Parameters
    ----------
    name
        Its folder.
    title
        What a core with it is, to follow "a core".
    options
        Its fields of `CoreConfig`. The first one builds it in; each other one needs that.
    training
        Its options of a run of training.
    wanted
        Fields of `CoreConfig`, with their values, that a run asks for with these.
    whole
        Whether they are all given or none: the answer to HELLO then ends before them in a core
        without it. Only of the last unit.
    needs
        Fields of other units without which it cannot be, with the reason.
    excludes
        Fields that it does not go with, other than as they are by default, with the reason; read
        both ways.
    checks
        More that a configuration with the unit must keep: what is wrong, or None.
    ops
        Its instructions.
    circuit
        Class of its circuit, of ``units/<name>/rtl.py``; it is made of a ``CoreConfig``.
    sockets
        Those of `SOCKETS` that the circuit has, as members of that name.
    golden
        Class of its part of the reference machine, of ``units/<name>/golden.py``, a
        `units.part.Part`; "" where it changes nothing there.
    status_bytes
        Bytes that it adds to the answer to STATUS.
    windows
        Memories of its own that the link reaches.
    memories
        All memories that a core has more with it; one in the place of a memory that every core has
        has its path.
    run
        Class of what a run of training does for it, of ``units/<name>/run.py``, a
        `units.run_part.RunPart`; "" for nothing.
    columns
        Its fields of a row of the layer table.
    device
        Class of what the host does for it at a device, of ``units/<name>/device.py``, a
        `units.device_part.DevicePart`; "" for nothing.
    acts
        Methods of that which a run calls by name, and what a core without the unit was built, as
        it is said to who calls them.
    record, rows
        Fields, with the numbers they may have, that the core's row of the layer table
        (`hw.parts.ports.LayerRecord`) and its list of rows to update
        (`hw.parts.entry.RowEntry`) have for its sake.
    state
        Class of what it keeps of a network beside the counters (`model.state.Part`): a module of
        tritgrad and a name in it, as ``model.scales.rows:RowScales``.
    trial_sizes
        Other fields of the small core on which the unit is tried.
    trial_training, trial_programs
        What fuzz does with it, given its random numbers: arguments for `firmware.programs.train`,
        and programs for so many layers and samples. All must end.
    """

    name: str
    title: str
    options: tuple[Option, ...]
    training: tuple[Option, ...] = ()
    wanted: Callable[[Run], Mapping[str, int]] = lambda run: {}
    whole: bool = False
    needs: Mapping[str, str] = made(default_factory=dict)
    excludes: Mapping[str, str] = made(default_factory=dict)
    checks: tuple[Callable[[Config], str | None], ...] = ()
    ops: tuple[Op, ...] = ()
    circuit: str = ""
    sockets: tuple[str, ...] = ()
    golden: str = ""
    status_bytes: int = 0
    windows: tuple[Window, ...] = ()
    memories: Callable[[Config], tuple[Memory, ...]] = lambda config: ()
    record: Mapping[str, Callable[[Config], range]] = made(default_factory=dict)
    rows: Mapping[str, Callable[[Config], range]] = made(default_factory=dict)
    run: str = ""
    columns: tuple[Column, ...] = ()
    device: str = ""
    acts: Mapping[str, str] = made(default_factory=dict)
    state: str = ""
    trial_sizes: Mapping[str, int] = made(default_factory=dict)
    trial_training: Callable[[Random], Mapping[str, int]] = lambda rng: {}
    trial_programs: Callable[[Random, int, int], Iterable[list[int]]] = lambda rng, layers, n: ()

    @property
    def field(self) -> str:
        """The field of `CoreConfig` that builds it in."""
        return self.options[0].name

    def within(self, config: Config) -> bool:
        """Whether a core has it."""
        return bool(getattr(config, self.field))

    def loaded(self, module: str, name: str) -> Any:
        """What a module of its folder has under a name, loaded now."""
        return getattr(importlib.import_module(f"tritgrad.units.{self.name}.{module}"), name)

    def part(self, name: str) -> ModuleType | None:
        """A module of its folder, loaded now; None if it has none of that name."""
        path = f"tritgrad.units.{self.name}.{name}"
        return importlib.import_module(path) if importlib.util.find_spec(path) else None
