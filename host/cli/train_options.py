"""Options of ``tritgrad train``, and those of the core that several commands have."""

from pathlib import Path

import click

from ...errors import BadInput
from ...rules import RULES, SETTINGS
from ..run.mixing import ORDERS
from ..run.options import GF3
from ..run.recipes import RECIPES
from ..run.watchers import TRACKERS
from .data_options import data_options, split_options, stack

__all__ = ["core_options", "read_text", "train_options"]

core_options = stack(
    click.option("--lanes", type=int, default=16, show_default=True, metavar="L",
                 help="Set the inputs that a bank takes in a cycle."),
    click.option("--banks", type=int, default=16, show_default=True, metavar="R",
                 help="Set the neurons that are computed at once."),
    click.option("--update-lanes", type=int, metavar="U",
                 help="Set the counters that are updated in a cycle; must divide the lanes.  "
                      "[default: 16, or with fewer lanes the most that divide them]"),
    click.option("--vcd", metavar="FILE",
                 help="Write the waveform of a simulation to this .vcd or .fst file."),
)

#: All but ``--json``, in the order of the help.
train_options = stack(
    click.option("--dataset", default="digits", show_default=True, metavar="NAME",
                 help="Train on digits, mnist, fashion-mnist, kmnist, qmnist, emnist-letters and "
                      "such, or a .npz, .csv or .tsv file."),
    data_options,
    split_options,
    click.option("--test-fraction", type=float, default=0.2, show_default=True, metavar="F",
                 help="Split off this part of the rows for the test, where the data have no test "
                      "set."),
    click.option("--val-fraction", type=float, metavar="F",
                 help="Hold back this part of the training rows, report it, and keep the model "
                      "of the best epoch.  [default: none]"),
    click.option("--recipe", "recipe_name", type=click.Choice(sorted(RECIPES)),
                 help="Take what is not given from a recipe: r1 and r4 for MNIST on small and "
                      "larger boards, r2 for Fashion-MNIST; on the golden model and behind a "
                      "convolution r5 and r6 for MNIST, r8 for Fashion-MNIST."),
    click.option("--encode", metavar="NAME[,NAME...]",
                 help="Code the inputs: planes[:BITS], signed[:BITS], thermometer[:LEVELS] or, of "
                      "images, edges[:T+T...[:DIRECTIONS[:POOL]]]; deskew[:T] before, repeat:TIMES "
                      "and select:INPUTS after. auto compares some on held-back training rows.  "
                      "[default: auto; planes with --planes]"),
    click.option("--hidden", default="128", show_default=True, metavar="N[,N...]",
                 help="Set the neurons of each hidden layer."),
    click.option("--counter-bits", type=int, default=8, show_default=True, metavar="B",
                 help="Set the bits of a weight's counter, 6 to 14."),
    click.option("--planes", type=int, metavar="P",
                 help="Set the bits of an input, 1 to 8.  [default: 1 for the MNIST family, else "
                      "4]"),
    click.option("--shift-augment", type=int, default=0, show_default=True, metavar="K",
                 help="Shift each training image by up to K pixels, anew in each epoch."),
    click.option("--augment", metavar="NAME=K[,NAME=K...]",
                 help="Move each training image anew in each epoch, by up to K/64 about its "
                      "centre: rotate, shear, vshear, vstretch, hstretch; flip mirrors half of "
                      "them."),
    click.option("--clean-epochs", type=click.IntRange(0), default=0, show_default=True,
                 metavar="N", help="Learn the images as they are in the last N epochs."),
    click.option("--margin", type=int, metavar="M",
                 help="Update where the label's score leads by less than M.  "
                      "[default: follows from the last layer's inputs]"),
    click.option("--gain", type=int, metavar="G",
                 help="Set the gain exponent of all layers but the last, with --rule spsa and fd "
                      "of all.  [default: b - 7 - n, with n bits a layer input; spsa -8, fd -4]"),
    click.option("--output-gain", type=int, metavar="G",
                 help="Set the gain exponent of the last layer.  [default: by the same rule]"),
    click.option("--floor", type=int, metavar="G",
                 help="Let the first layer's gain exponent fall to G late in the run.  "
                      "[default: 0, or the gain if that is less]"),
    click.option("--act-shift", metavar="S[,S...]",
                 help="Set the activation shift of each hidden layer, bits.  "
                      "[default: follows from its inputs]"),
    click.option("--epochs", type=int, metavar="E",
                 help="Train this many epochs.  [default: 20, more for few rows coded signed; "
                      "with --from 3]"),
    click.option("--limit", type=int, metavar="N",
                 help="Use the first N training rows only.  [default: all]"),
    click.option("--rule", type=click.Choice([rule.name for rule in RULES]), default="margin",
                 show_default=True,
                 help="Learn " + "; ".join(f"{rule.help} ({rule.name})" for rule in RULES) + "."),
    click.option("--program", metavar="FILE",
                 help="Learn by a rule of your own: an assembly program for the core's sequencer "
                      "(docs/new-rule.md).  [default: --rule]"),
    *(click.option(f"--{setting.name}", type=int, metavar=setting.metavar, help=setting.help)
      for setting in SETTINGS.values()),
    click.option("--scales", is_flag=True,
                 help="Learn a scale for each row of weights, by the correlation of votes and "
                      "trits."),
    click.option("--scale-refresh", type=click.IntRange(0, 31), default=6, show_default=True,
                 metavar="R", help="With --scales, divide them anew every 2^R samples learned."),
    click.option("--gf3", type=click.Choice(GF3),
                 help="Keep the sum mod 3 of each row's trits, and compare after each epoch, as "
                      "any single-bit error of the trits' memory changes it; with conserve, "
                      "learn without changing it.  [default: neither]"),
    click.option("--prune", metavar="EVERY,CUTOFF",
                 help="Begin with an empty first layer, and every EVERY samples of the first 60 "
                      "% of the run clear granules of banks x lanes weights with few trits that "
                      "are not 0: at most CUTOFF at the last time, less before. The forward pass "
                      "skips empty granules.  [default: never]"),
    click.option("--conv", metavar="FxKxK",
                 help="Put F kernels of K x K trits in front of the network, as 24x5x5; images "
                      "only, golden model only. Images are of planes:2 unless --encode or --planes "
                      "say otherwise; --encode channels makes images of their edges."),
    click.option("--pool", type=int, metavar="P",
                 help="With --conv, keep the greatest sum of P x P places, 1 to 3.  [default: 3]"),
    click.option("--conv-bits", type=int, metavar="N",
                 help="With --conv, let its outputs have N bits, 1 to 4.  [default: 2]"),
    click.option("--conv-counter-bits", type=int, metavar="B",
                 help="With --conv, set the bits of its counters, 8 to 14.  [default: 12]"),
    click.option("--conv-shift", type=int, metavar="S",
                 help="With --conv, shift its sums by S bits, 0 to 15.  [default: follows from "
                      "its taps]"),
    click.option("--conv-gain", type=int, metavar="G",
                 help="With --conv, set its gain exponent, -15 to 0.  [default: -2]"),
    click.option("--wrong", type=int, default=0, show_default=True, metavar="N",
                 help="With --conv, add N, 0 or 1, to the layers' gain exponents for a sample "
                      "that is predicted wrong."),
    click.option("--skip", type=int, metavar="S",
                 help="Let each hidden layer that has as many neurons as the one below add that "
                      "one's activations times 2^S, S from 0 to 7.  [default: none does]"),
    click.option("--from", "from_model", metavar="MODEL",
                 help="Go on from a model with the rows of --dataset: its network, counters, "
                      "coding and classes, and the gains of its end unless --gain or --output-gain "
                      "is given. --classes may name more classes.  [default: a new network]"),
    click.option("--replay", metavar="FILE|N",
                 help="With --from, learn rows of this file again, or N that the model keeps, "
                      "spread among the new ones. With N the new model keeps N of all rows.  "
                      "[default: none]"),
    click.option("--order", type=click.Choice(ORDERS), default="random", show_default=True,
                 help="Learn the rows anew at random in each epoch, as in the file, or in one "
                      "random order that each epoch begins at another place of."),
    click.option("--ensemble", type=click.IntRange(2, 64), metavar="K",
                 help="Train K networks, of --seed and the next ones, each in a folder of its own "
                      "in that of the run; eval and predict let them vote.  [default: one]"),
    click.option("--baseline", is_flag=True,
                 help="Train scikit-learn's logistic regression, perceptron and random forest on "
                      "the same rows, and show what they get."),
    click.option("--seed", type=int, default=1, show_default=True, metavar="N",
                 help="Derive everything random from this number, 0 to 2^64 - 1."),
    click.option("--device", default="sim", show_default=True, metavar="DEVICE",
                 help="Train on the compiled RTL (sim), on the golden model (model), or on a "
                      "board: BOARD@PORT or @PORT. All end bit for bit alike."),
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


def read_text(file: str) -> str:
    """What is in a program's file."""
    try:
        return Path(file).read_text("utf-8")
    except OSError as error:
        raise BadInput(f"--program {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"--program {file} is no text") from None
