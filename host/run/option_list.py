"""The options of a run: all fields of `TrainOptions`, with those of rules and units.

A rule's options are in its record (`tritgrad.rules`), a unit's in its record (`tritgrad.units`);
all others are here or, of rows, in `host.data.row_options`. This module is light: the command line
reads it to show a help.
"""

from ...model.config import LIMITS
from ...option import Option
from ...rules import RULES, SETTINGS
from ...units.registry import TRAINING
from ..data.row_options import READING, SOURCES

__all__ = [
           "BY_NAME",
           "CONVOLUTION",
           "CORE",
           "FIRST",
           "GOING_ON",
           "INPUTS",
           "LEARNED_BY",
           "LEARNING",
           "NETWORK",
           "ORDERS",
           "RUN",
           "TRAIN",
]

#: Rows anew in each epoch, as they come, or in one order for all runs, begun anew in each epoch.
ORDERS = ("random", "file", "rotate")

#: What becomes of a row.
INPUTS = (
    Option("encode", "Code the inputs: planes[:BITS], signed[:BITS], thermometer[:LEVELS] or, of "
                     "images, edges[:T+T...[:DIRECTIONS[:POOL]]]; deskew[:T] before, repeat:TIMES "
                     "and select:INPUTS after. auto compares some on held-back training rows.  "
                     "[default: auto; planes with --planes]", None, metavar="NAME[,NAME...]",
           network=True),
    Option("planes", "Set the bits of an input, {range}.  [default: 1 for the MNIST family, else "
                     "4]", None, LIMITS["input_planes"], metavar="P", network=True),
    Option("shift_augment", "Shift each training image by up to K pixels, anew in each epoch.", 0,
           metavar="K"),
    Option("augment", "Move each training image anew in each epoch, by up to K/64 about its "
                      "centre: rotate, shear, vshear, vstretch, hstretch; flip mirrors half of "
                      "them.", None, metavar="NAME=K[,NAME=K...]"),
    Option("clean_epochs", "Learn the images as they are in the last N epochs.", 0, (0, None)),
)

NETWORK = (
    Option("hidden", "Set the neurons of each hidden layer.", (128,), metavar="N[,N...]",
           network=True),
    Option("counter_bits", "Set the bits of a weight's counter, {range}.", 8,
           LIMITS["counter_bits"], metavar="B", network=True),
    Option("act_shift", "Set the activation shift of each hidden layer, bits.  [default: follows "
                        "from its inputs]", None, kind=int, many=True, metavar="S[,S...]",
           network=True),
)

LEARNING = (
    Option("margin", "Update where the label's score leads by less than M.  [default: follows "
                     "from the last layer's inputs]", None, kind=int, metavar="M"),
    Option("gain", "Set the gain exponent of all layers but the last, with --rule spsa and fd of "
                   "all.  [default: b - 7 - n, with n bits a layer input; spsa -8, fd -4]", None,
           kind=int, metavar="G"),
    Option("output_gain", "Set the gain exponent of the last layer.  [default: by the same rule]",
           None, kind=int, metavar="G"),
    Option("floor", "Let the first layer's gain exponent fall to G late in the run.  [default: 0, "
                    "or the gain if that is less]", None, kind=int, metavar="G"),
    Option("epochs", "Train this many epochs.  [default: 20, more for few rows coded signed; with "
                     "--from 3]", None, kind=int, metavar="E"),
    Option("order", "Learn the rows anew at random in each epoch, as in the file, or in one random "
                    "order that each epoch begins at another place of.", "random",
           choices=ORDERS),
)

LEARNED_BY = (
    Option("rule", "Learn " + "; ".join(f"{rule.help} ({rule.name})" for rule in RULES) + ".",
           RULES[0].name, choices=tuple(rule.name for rule in RULES), network=True),
    Option("program", "Learn by a rule of your own: an assembly program for the core's sequencer "
                      "(docs/new-rule.md).  [default: --rule]", None, metavar="FILE", free=True),
    Option("program_text", default=None),  # what is in that file
)

CONVOLUTION = (
    Option("conv", "Put F kernels of K x K trits in front of the network, as 24x5x5; images only. "
                   "Images are of planes:2 unless --encode or --planes say "
                   "otherwise; --encode channels makes images of their edges.", None,
           metavar="FxKxK"),
    Option("pool", "With --conv, keep the greatest sum of P x P places, 1 to 3.  [default: 3]",
           None, kind=int, metavar="P", network=True),
    Option("conv_bits", "With --conv, let its outputs have N bits, 1 to 4.  [default: 2]", None,
           kind=int, network=True),
    Option("conv_counter_bits", "With --conv, set the bits of its counters, 8 to 14.  [default: "
                                "12]", None, kind=int, metavar="B", network=True),
    Option("conv_shift", "With --conv, shift its sums by S bits, 0 to 15.  [default: follows from "
                         "its taps]", None, kind=int, metavar="S", network=True),
    Option("conv_gain", "With --conv, set its gain exponent, -15 to 0.  [default: -2]", None,
           kind=int, metavar="G", network=True),
    Option("wrong", "With --conv, add N, 0 or 1, to the layers' gain exponents for a sample that "
                    "is predicted wrong.", 0, network=True),
)

GOING_ON = (
    Option("from_model", "Go on from a model with the rows of --dataset: its network, counters, "
                         "coding and classes, and the gains of its end unless --gain or "
                         "--output-gain is given. --classes may name more classes.  [default: a "
                         "new network]", None, metavar="MODEL", opt="--from", free=True),
    Option("from_sha256", default=None),  # the state of that model
    Option("replay", "With --from, learn rows of this file again, or N that the model keeps, "
                     "spread among the new ones. With N the new model keeps N of all rows.  "
                     "[default: none]", None, metavar="FILE|N"),
    Option("more_epochs", default=0),  # after those that the gains' schedule was made for
)

RUN = (
    Option("seed", "Derive everything random from this number, 0 to 2^64 - 1.", 1),
    Option("device", "Train on the compiled RTL (sim), on the golden model (model), or on a board: "
                     "BOARD@PORT or @PORT. All end bit for bit alike.", "sim", metavar="DEVICE",
           free=True),
    Option("store", "Keep the rows of the run in the memory beside the board's FPGA and take them "
                    "from there, where it has one and they fit (auto), or send them over the line "
                    "(off). Into a flash only tritgrad store writes them. The network is the "
                    "same.", "auto", choices=("auto", "off"), free=True),
)

#: Sizes of a simulated core.
CORE = (
    Option("lanes", "Set the inputs that a bank takes in a cycle.", 16, LIMITS["lanes"],
           metavar="L"),
    Option("banks", "Set the neurons that are computed at once.", 16, LIMITS["banks"],
           metavar="R"),
    Option("update_lanes", "Set the counters that are updated in a cycle; must divide the lanes.  "
                           "[default: 16, or with fewer lanes the most that divide them]", None,
           LIMITS["update_lanes"], metavar="U"),
)

#: All of them, in the order of the help.
TRAIN = (*SOURCES[:3], *READING, *SOURCES[3:], *INPUTS, *NETWORK, *LEARNING, *LEARNED_BY,
         *SETTINGS.values(), *TRAINING.values(), *CONVOLUTION, *GOING_ON, *RUN, *CORE)
BY_NAME = {option.name: option for option in TRAIN}

#: Those that the first checkpoints had. Others came later, and have their default there.
FIRST = ("dataset", "data_dir", "label", "test", "test_fraction", "val_fraction", "hidden",
         "counter_bits", "planes", "shift_augment", "margin", "gain", "output_gain", "act_shift",
         "epochs", "limit", "seed", "device", "lanes", "banks", "update_lanes")
