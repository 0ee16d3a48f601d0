"""The support: a bit a granule of trits, without which FWD skips it (`model.blending.granules`)."""

from ...firmware import programs
from ...firmware.frames import Space
from ...firmware.isa import Op
from ..record import Memory, Option, Unit, Window

__all__ = ["SUPPORT"]

SUPPORT = Unit(
    name="support",
    title="that keeps its support",
    options=(Option(
        "support", "Keep a bit of each granule of banks x lanes trits, skip those without it in "
                   "the forward pass, and build in PURGE."),),
    training=(Option(
        "prune", "Begin with an empty first layer, and every EVERY samples of the first 60 % of "
                 "the run clear granules of banks x lanes weights with few trits that are not 0: "
                 "at most CUTOFF at the last time, less before. The forward pass skips empty "
                 "granules.  [default: never]", None, kind=int, many=True, count=2,
        metavar="EVERY,CUTOFF", network=True),),
    wanted=lambda run: {"support": run.prune is not None},
    needs={"trainable": "UPD finds what is born, PURGE writes counters"},
    excludes={
        "resident": "samples that stay are kept as lists, not at their words' places, and STEP "
                    "would move trits that FWD leaves out",
        "update_rows": "PURGE and UPD share the words of one row",
    },
    ops=(Op.CUTOFF, Op.PURGE),
    circuit="Support",
    golden="Support",
    device="Support",
    run="Support",
    acts={"purge": "without a support: it cannot prune"},
    sockets=("dispatch", "window", "changes", "moves", "trits", "counters", "still", "reader",
             "masks"),
    windows=(Window(Space.SUPPORT, lambda c: c.support_depth, lambda c: c.max_words,
                    lambda c: c.support_word_bytes, "store.memory"),),
    memories=lambda c: (Memory("SUPPORT", "max_inputs", c.support_depth, c.max_words,
                               "engine.support.store.memory"),),
    state="model.blending.granules:Support",
    trial_sizes={"lanes": 1, "update_lanes": 1, "max_inputs": 75, "trit_depth": 600,
                 "residual_depth": 1200, "hidden_depth": 40},
    trial_training=lambda rng: {"rest": rng.randrange(2)},
    trial_programs=lambda rng, layers, samples: (programs.purge(
        layers, range(1, layers + 1), rng.randrange(20), rng.randrange(16)),),
    record={"group_base": lambda c: range(c.support_depth)},
    rows={"group": lambda c: range(c.support_depth)},
)
