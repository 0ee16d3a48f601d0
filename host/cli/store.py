"""``tritgrad store``: rows in the memory beside a board's FPGA."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import click

from ...errors import BadInput, DeviceError
from ...firmware.frames import Run
from ...firmware.store import Kind
from ..data.datasets import Dataset
from ..device.address import board_and_port
from ..device.directory import Directory, Entry, check_name
from ..device.flash import MAKERS, Flash
from ..device.flash_sets import described, forget
from ..device.open import board_of, open_port
from ..device.session import Session
from ..device.store import RowStore
from ..run.learners import DeviceLearner
from ..run.option_list import CORE, GOING_ON, TRAIN
from ..run.recipes import RECIPES
from ..run.running import planned
from ..run.storing import store_rows
from ..run.training import Stopped, open_learner
from .console import RunProgress, emit, json_option, say, screen, stop_on_interrupt, table
from .data_options import show_data
from .made import is_default, made, stack
from .train import run_options

__all__ = ["store"]

#: Options of a run that decide nothing about its rows, or that come with none.
LEFT = {option.name for option in (*CORE, *GOING_ON)} | {"device", "store"}
rows_options = stack(*(made(option) for option in TRAIN if option.name not in LEFT))
#: What --erase is without a name.
ALL = "\0"


@click.command()
@click.argument("device", metavar="BOARD@PORT")
@click.option("--show", is_flag=True, help="Show what is there, and whether it is whole.")
@click.option("--erase", is_flag=False, flag_value=ALL, metavar="[NAME]",
              help="Erase the data set of this name from a flash, or all; BOARD@PORT goes before.")
@click.option("--name", metavar="NAME",
              help="Call the rows so in a flash's list.  [default: the data set's name]")
@rows_options
@click.option("--recipe", "recipe_name", type=click.Choice(sorted(RECIPES)),
              help="Take what is not given from a recipe of train.")
@json_option
@click.pass_context
def store(context: click.Context, device: str, show: bool, erase: str | None, name: str | None,
          recipe_name: str | None, as_json: bool, **given: Any) -> None:
    """Write the rows of a data set to the memory beside a board's FPGA, or show or erase it.

    Give --dataset and the options that train will have; a run with these finds its rows there. A
    flash keeps several data sets, by name and over power-off, and is written only here. What an
    SDRAM keeps is lost with its power, and train writes it by itself.
    """
    writes = not is_default(context, "dataset") or recipe_name is not None
    if [show, erase is not None, writes].count(True) != 1:
        raise BadInput("give one of --dataset, --show and --erase")
    if board_and_port(device) is None:
        raise BadInput(f"device must be BOARD@PORT, not {device!r}")
    if not writes:
        others = [p.opts[0] for p in context.command.params if p.name is not None
                  and p.name not in ("device", "show", "erase", "as_json")
                  and not is_default(context, p.name)]
        if others:
            raise BadInput(f"{others[0]} is of rows that are written; it goes without "
                           f"{'--show' if show else '--erase'}")
        told = _shown(device, as_json) if show else _erased(device, erase)
    else:
        values = given | _missing(context)
        options = run_options(values | {"device": device, "store": "auto"})
        if recipe_name is not None:
            options = replace(options, **{key: value for key, value in RECIPES[recipe_name].items()
                                          if key != "device" and is_default(context, key)})
        told = _written(options, name, as_json)
    if as_json:
        emit(told)


def _missing(context: click.Context) -> dict[str, Any]:
    """Defaults of the options of a run that this command does not have."""
    return {option.name: option.default for option in TRAIN if option.name not in context.params}


def _written(options: Any, name: str | None, as_json: bool) -> dict[str, Any]:
    progress = RunProgress(screen(stderr=True))
    console = progress.console
    plan = planned(options, options.load_data(), progress)
    show_data(plan.data.summary)
    options, data = plan.options, plan.data
    if options.moves:
        raise BadInput("images that are moved anew in each epoch go over the line; for rows as "
                       "they are give --encode planes, and to train too"
                       if plan.choice is not None and plan.choice.shift_augment else
                       "--shift-augment and --augment move images anew in each epoch: no flash has "
                       "them; where an SDRAM shifts them, train writes them itself")
    name = check_name(data.name if name is None else name)
    learner = open_learner(options, options.recipe(data), progress, image_shape=data.pixels)
    assert isinstance(learner, DeviceLearner)
    try:
        _has_store(learner.driver.session)
        done = _stored(learner, data, name, progress)
        phase = done.phase() if isinstance(done, RowStore) else None
    finally:
        learner.close()
    if isinstance(done, RowStore):
        text = (f"{len(done.y):,} rows are in the memory of {learner.driver.name} until its power "
                f"goes; it is read {phase} half cycles behind a command")
        told: dict[str, Any] = {"kind": "ram", "rows": len(done.y), "learned": done.learned,
                                "phase": phase}
    else:
        text = f"{name}: {described(done)}, {done.size:,} bytes from 0x{done.first:06X} on"
        told = {"kind": "flash", **_as_json(done)}
    if not as_json:
        say(screen(), text)
    say(console, f"next: tritgrad train --device {options.device} and the same options")
    return told


def _stored(learner: DeviceLearner, data: Dataset, name: str,
            progress: RunProgress) -> Entry | RowStore:
    """The rows written, or an error that says what the memory holds now."""
    written = [0, 0]

    def told(done: int, whole: int) -> None:
        if not written[1] and not progress.console.is_terminal:
            say(progress.console, f"writing {whole:,} bytes")
        written[:] = done, whole
        progress.storing(done, whole)

    valid: list[str] | None = None

    def begins(names: list[str]) -> None:
        nonlocal valid
        valid = names

    def left() -> str:
        kept = "" if valid is None else f"; valid now: {', '.join(valid) or 'no data set'}"
        return (f"{written[0]:,} of {written[1]:,} bytes are written{kept}; the same command goes "
                "on")

    try:
        with stop_on_interrupt(progress.console) as stop, progress:
            def pause() -> None:
                if stop():
                    raise Stopped(f"stopped: {left()}")
            return store_rows(learner, data, name, told, pause, begins,
                              lambda text: say(progress.console, text))
    except DeviceError as error:
        if not written[0]:
            raise
        raise DeviceError(f"{error}; {left()}") from error


def _has_store(session: Session) -> None:
    if session.config.store == Kind.NONE:
        raise BadInput(f"the core of {session.name} was built without a store for rows; tritgrad "
                       "build BOARD --store makes one with it")


def _opened(device: str) -> Session:
    """A session with a core that has a store and runs nothing; what it has loaded stays."""
    board_of(device)
    transport = open_port(device)
    try:
        session = Session(transport)
        _has_store(session)
        if session.status()["run"] == Run.RUNNING:
            raise DeviceError(f"{session.name} runs a program; its memory can be read when that "
                              "has ended")
    except BaseException:
        transport.close()
        raise
    return session


def _shown(device: str, as_json: bool) -> dict[str, Any]:
    session = _opened(device)
    try:
        if session.config.store == Kind.RAM:
            size = 2 << session.config.store_bits
            if not as_json:
                say(screen(), f"a RAM of {size >> 10:,} KiB: it keeps no list of what is there; "
                              "train asks for its rows by their CRC, and writes them if need be")
            return {"kind": "ram", "bytes": size}
        flash = Flash.of(session, board_of(device))
        directory, _ = flash.directory()
        whole = {e.name: flash.crc(e.first, e.size) == e.crc for e in directory.entries}
        found, status = flash.id(), flash.status()
    finally:
        session.close()
    free = flash.size - flash.first - sum(e.end - e.first for e in directory.entries)
    if not as_json:
        _show_flash(flash, directory, whole, found, status, free)
    return {"kind": "flash", "bytes": flash.size, "reserved": flash.reserved, "free": free,
            "id": found.hex(), "status": status,
            "data_sets": [_as_json(e) | {"whole": whole[e.name]} for e in directory.entries]}


def _show_flash(flash: Flash, directory: Directory, whole: dict[str, bool], found: bytes,
                status: int, free: int) -> None:
    console = screen()
    say(console, f"a flash of {flash.size >> 10:,} KiB, id "
                 f"{' '.join(f'{byte:02X}' for byte in found)} "
                 f"({MAKERS.get(found[0], 'of an unknown maker')}), status register "
                 f"0x{status:02X}; the first {flash.reserved >> 10:,} KiB are the bitstream's")
    if directory.entries:
        console.print(table(None, ("name", "rows", "others", "inputs", "bits", "bytes", "from",
                                   "state"),
                            [(e.name, f"{e.learned:,}", f"{e.rows - e.learned:,}", e.inputs,
                              e.planes, f"{e.size:,}", f"0x{e.first:06X}",
                              "whole" if whole[e.name] else "damaged")
                             for e in directory.entries], right=range(1, 6)))
    say(console, f"{free:,} bytes are free" + ("" if directory.entries else "; no data set"))


def _erased(device: str, name: str | None) -> dict[str, Any]:
    session = _opened(device)
    progress = RunProgress(screen(stderr=True))
    try:
        if session.config.store == Kind.RAM:
            raise BadInput(f"the memory of {session.name} is a RAM: what it holds goes with its "
                           "power, and train writes over it; --erase is for a flash")
        flash = Flash.of(session, board_of(device))
        there = [entry.name for entry in flash.directory()[0].entries]
        names = there if name == ALL else [str(name)]
        if not names:
            raise BadInput(f"{flash.name} holds no data set: there is nothing to erase")
        with stop_on_interrupt(progress.console) as stop, progress:
            forget(flash, names, progress.erasing, _stopping(stop, names))
    finally:
        session.close()
    say(progress.console, f"erased: {', '.join(names)}")
    return {"erased": names}


def _stopping(stop: Callable[[], bool], names: list[str]) -> Callable[[], None]:
    def pause() -> None:
        if stop():
            raise Stopped(f"stopped: {', '.join(names)} can be read no more, but not all of the "
                          "bytes are erased; what is written there next erases them")
    return pause


def _as_json(entry: Entry) -> dict[str, Any]:
    told = asdict(entry)
    return told | {"order": entry.order.hex()}
