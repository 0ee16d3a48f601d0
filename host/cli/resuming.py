"""``tritgrad train --resume``: the run of a folder, with what may be another one."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import click

from ...errors import BadInput
from ..run.checkpoint import Checkpoint, check_data
from ..run.lock import hold
from ..run.opening import with_data_found
from ..run.options import AUTO, TrainOptions
from ..run.training import CHECKPOINT, Trainer, open_learner, resume
from .console import RunProgress, warn
from .data_options import show_data
from .going_on import option_of
from .made import is_default
from .run_folder import take

__all__ = ["continued"]


def continued(context: click.Context, given: Path, options: TrainOptions, out: str | None,
              vcd: str | None, progress: RunProgress, held: ExitStack) -> Trainer:
    path = given if given.is_file() else given / CHECKPOINT
    folder = path.parent if out is None else Path(out)
    if out is not None:
        take(folder, held)
    elif path.name != CHECKPOINT and (folder / CHECKPOINT).exists():
        raise BadInput(f"--resume {path} would go on in {folder}, which holds another run; give "
                       "--out DIR for a new folder")
    elif path.is_file():
        held.enter_context(hold(folder))
    checkpoint, moved = with_data_found(Checkpoint.load(path), path)
    names = {name for name in TrainOptions.OPTIONS
             if name in context.params and not is_default(context, name)}
    if options.encode == AUTO:  # stored is what was chosen
        names.discard("encode")
    for name in sorted(names - {*TrainOptions.FREE, "epochs"}):
        wanted, has = getattr(options, name), getattr(checkpoint.options, name)
        if wanted != has:
            option = option_of(name)
            raise BadInput(f"{option} {_plain(wanted)} contradicts the run in {path.parent}, "
                           f"which has {option} {_plain(has)}")
    if "program" in names and options.program_text != checkpoint.options.program_text:
        raise BadInput(f"--program {options.program} is another rule than that of the run in "
                       f"{path.parent}")
    free = {name: getattr(options, name) for name in names & set(TrainOptions.FREE)}
    for told in moved:
        if told.split()[0].removeprefix("--").replace("-", "_") not in free:
            warn(told)
    checkpoint = replace(checkpoint, options=replace(checkpoint.options, **free))
    data = checkpoint.options.load_data()
    recipe = checkpoint.options.recipe(data)
    if "epochs" in names and options.epochs is not None:
        planned = checkpoint.options.planned(recipe)
        more = _more_epochs(checkpoint, planned, options.epochs, path.parent)
        checkpoint = replace(checkpoint, options=replace(checkpoint.options, more_epochs=more))
    show_data(data.summary)
    learner = open_learner(checkpoint.options, recipe, progress, vcd, data.pixels)
    if out is not None:
        check_data(checkpoint, data, path.parent)
        checkpoint.save(folder / CHECKPOINT)
    return resume(checkpoint, data, folder, learner, progress)


def _more_epochs(checkpoint: Checkpoint, planned: int, wanted: int, folder: Path) -> int:
    """Epochs after those that a run was planned with; they are learned with its last gains."""
    has = planned + checkpoint.options.more_epochs
    if wanted < has:
        raise BadInput(f"--epochs {wanted} contradicts the run in {folder}, which has --epochs "
                       f"{has}; it may only be more")
    if wanted > has and checkpoint.options.prune is not None:
        raise BadInput(f"--epochs {wanted}: the run in {folder} prunes by a plan of {has} epochs; "
                       "it cannot be made longer")
    return wanted - planned


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(str(item) for item in value)
    return "at its default" if value is None else str(value)
