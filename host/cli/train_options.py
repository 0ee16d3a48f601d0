"""Options of ``tritgrad train``, and those of the core that several commands have."""

import click

from ..run.option_list import CORE, TRAIN
from ..run.recipes import RECIPES
from ..run.watchers import TRACKERS
from .made import made, stack

__all__ = ["core_options", "train_options"]

core_options = stack(
    *map(made, CORE),
    click.option("--vcd", metavar="FILE",
                 help="Write the waveform of a simulation to this .vcd or .fst file."),
)

#: Options of the command alone, by the option of a run that they stand behind.
BEHIND = {
    "limit": stack(
        click.option("--recipe", "recipe_name", type=click.Choice(sorted(RECIPES)),
                     help="Take what is not given from a recipe: r1 and r4 for MNIST on small and "
                          "larger boards, r2 for Fashion-MNIST; on the golden model and behind a "
                          "convolution r5 and r6 for MNIST, r8 for Fashion-MNIST."),
    ),
    "replay": stack(
        click.option("--ensemble", type=click.IntRange(2, 64), metavar="K",
                     help="Train K networks, of --seed and the next ones, each in a folder of its "
                          "own in that of the run; eval and predict let them vote.  [default: "
                          "one]"),
        click.option("--baseline", is_flag=True,
                     help="Train scikit-learn's logistic regression, perceptron and random forest "
                          "on the same rows, and show what they get."),
    ),
}

#: All but ``--json``, in the order of the help.
train_options = stack(
    *(decorator for option in TRAIN if option not in CORE
      for decorator in (made(option), *([BEHIND[option.name]] if option.name in BEHIND else []))),
    core_options,
    click.option("--out", metavar="DIR",
                 help="Put the results into this folder, which must hold no other run.  "
                      "[default: runs/DATASET-DATE-TIME]"),
    click.option("--watch", multiple=True, type=click.Choice(sorted(TRACKERS)),
                 help="Write each epoch for TensorBoard, into the run's folder, or for MLflow, to "
                      "where that is set up to."),
    click.option("--resume", "resumed", metavar="DIR",
                 help="Continue the run in this folder, or that of this checkpoint file; with "
                      "--out in a new folder. Options given again must be the run's own; only "
                      "--device may change, the place of the data if they are the same, and "
                      "--epochs may be more."),
)
