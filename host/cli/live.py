"""``tritgrad live``: a page on which one draws, and a device learns it."""

import socket
import webbrowser
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from ...errors import BadInput
from ...units.registry import options_of
from ..run.model_file import TrainedModel
from ..run.model_rows import model_rows
from ..run.option_list import BY_NAME, CONVOLUTION
from ..run.options import TrainOptions, data_path, parse_integers
from ..run.running import with_core
from ..run.training import open_learner
from .console import RunProgress, say, screen
from .data_options import show_data
from .inference import heed_core, opened
from .made import is_default, made
from .train_options import core_options

if TYPE_CHECKING:
    from ..live.follow import Follower
    from ..live.studio import Studio

__all__ = ["live"]

PORT = 8640
#: Options of a training, which a model has behind it; those of kernels, which it has of its own.
OF_TRAINING = ("left_out", "hidden", "epochs", "limit", "seed")
OF_KERNELS = (*(option.name for option in CONVOLUTION), "encode")
#: Options that a page needs, whatever it shows.
OF_PAGE = ("follow", "host", "port", "show")


@click.command()
@click.argument("model_file", metavar="[MODEL]", required=False)
@click.option("--dataset", default="digits", show_default=True, metavar="NAME",
              help="Without MODEL, train on these images first; else take their test rows as those "
                   "held back, and their training rows as old rows.")
@made(BY_NAME["data_dir"])
@click.option("--without", "left_out", metavar="CLASS[,CLASS...]",
              help="Train without the rows of these classes, so that they are new to the network.")
@click.option("--hidden", default="64", show_default=True, metavar="N[,N...]",
              help="Set the neurons of each hidden layer.")
@click.option("--epochs", type=int, default=20, show_default=True, metavar="E",
              help="Train this many epochs.")
@made(BY_NAME["limit"])
@made(BY_NAME["seed"])
@click.option("--device", default="model", show_default=True, metavar="DEVICE",
              help="Learn on the compiled RTL (sim), on the golden model (model), or on a board: "
                   "BOARD@PORT or @PORT. All learn bit for bit alike.")
@core_options
@click.option("--follow", metavar="RUN",
              help="Show a training that runs elsewhere, by its folder or its history.csv: curve, "
                   "flips, classes, weights.")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS",
              help="Listen on this address. Whoever reaches another one than 127.0.0.1 can use the "
                   "device.")
@click.option("--port", type=int, default=PORT, show_default=True, metavar="PORT",
              help="Listen on this port; the default one gives way to any other where it is "
                   "taken.")
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
@click.pass_context
def live(context: click.Context, model_file: str | None, dataset: str, data_dir: str | None,
         left_out: str | None, hidden: str, epochs: int, limit: int | None, seed: int, device: str,
         lanes: int, banks: int, update_lanes: int | None, vcd: str | None, follow: str | None,
         host: str, port: int, show: bool) -> None:
    """Draw for a network on a local page, say what it should have been, and see it learn.

    Without MODEL the page begins with a training, which it shows as it goes. MODEL may be a run's
    folder. Ctrl-C ends.
    """
    try:
        from ..live.follow import Follower
        from ..live.server import bound
        from ..live.studio import Studio, without
    except ImportError as error:
        raise BadInput(f"live needs {error.name}: pip install 'tritgrad[live]'") from None
    any_port = is_default(context, "port")
    if follow is not None:
        for name, value in context.params.items():
            if name not in OF_PAGE and not is_default(context, name):
                raise BadInput(f"--follow {follow} goes without {_said(name, value)}")
        with closing(bound(host, port, any_port)) as address, Follower(follow) as run:
            _serve(run, address, host, False, show)
        return
    options = TrainOptions(dataset=data_path(dataset) or dataset, data_dir=data_path(data_dir),
                           hidden=parse_integers("--hidden", hidden), epochs=epochs, limit=limit,
                           seed=seed, device=device, lanes=lanes, banks=banks,
                           update_lanes=update_lanes)
    model = None
    if model_file is None:
        data = options.load_data()
        if left_out is not None:
            data = without(data, [name.strip() for name in left_out.split(",")])
        recipe = options.recipe(data)
    else:
        for name in OF_TRAINING:
            if not is_default(context, name):
                raise BadInput(f"{_said(name)} goes without MODEL; leave one away")
        model_file, model = opened(model_file)
        other = None if is_default(context, "dataset") else options.dataset
        data = model_rows(model, model_file, other, {"data_dir": options.data_dir})[0]
        recipe, options = model.recipe, _as_trained(options, model)
    show_data(data.summary)
    with closing(bound(host, port, any_port)) as address, closing(open_learner(
            options, recipe, RunProgress(screen(stderr=True)), vcd, data.pixels)) as learner:
        studio = Studio(with_core(options, learner, heed_core), data, learner, model)
        _serve(studio, address, host, model is None, show)


def _as_trained(options: TrainOptions, model: TrainedModel) -> TrainOptions:
    """The options with those that a model was made with, for a training anew."""
    recipe, stored = model.recipe, model.extras.get("options") or {}
    kernels: dict[str, Any] = {name: stored.get(name) for name in OF_KERNELS if recipe.conv}
    return replace(options, counter_bits=recipe.counter_bits, hidden=recipe.layers[1:-1],
                   epochs=recipe.epochs, seed=recipe.seed,
                   **options_of(recipe, model.parts), **kernels)


def _serve(studio: "Studio | Follower", address: socket.socket, host: str, begin: bool,
           show: bool) -> None:
    from ..live.server import server_of

    shown = f"[{host}]" if ":" in host else host
    page = f"http://{shown}:{address.getsockname()[1]}/"
    say(screen(), f"tritgrad live: {page}  (Ctrl-C ends)")
    if show:
        webbrowser.open(page)
    server_of(studio, host, begin=begin).run(sockets=[address])


def _said(name: str, value: object = None) -> str:
    """A parameter as one types it."""
    if name == "model_file":
        return str(value)
    return "--" + {"left_out": "without"}.get(name, name).replace("_", "-")
