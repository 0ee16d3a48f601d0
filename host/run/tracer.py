"""A device that tells what each sample decides."""

from ...errors import BadInput
from ...model.recipe import Recipe
from ..device.address import board_and_port
from ..device.driver import Driver
from ..device.open import open_board
from ..device.session import Session
from ..device.transport import SimTransport
from .options import TrainOptions
from .training import Watcher

__all__ = ["open_tracer"]


def open_tracer(options: TrainOptions, recipe: Recipe, watcher: Watcher,
                vcd: str | None = None) -> Driver:
    """A driver on the simulated core with a trace unit, or on the board, that the options name."""
    if board_and_port(options.device):
        if vcd is not None:
            raise BadInput(f"--vcd {vcd} needs --device sim, not {options.device}")
        with watcher.working(f"connecting to {options.device}"):
            return open_board(options.device, recipe)
    config = options.core(recipe.layers, recipe.planes).changed(trace=True)
    with watcher.working("compiling the RTL") as say:
        transport = SimTransport(config, vcd, say)
    return Driver(Session(transport))
