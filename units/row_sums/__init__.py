"""Row sums: the sum mod 3 of each row's trits, kept beside T, which any single-bit error changes.

`model.discrete.gf3` has the arithmetic.
"""

from ...firmware import programs
from ...firmware.frames import Space
from ...firmware.isa import Op
from ..record import Config, Memory, Option, Unit, Window

__all__ = ["ROW_SUMS"]


def _depth(config: Config) -> int:
    return config.sum_depth


ROW_SUMS = Unit(
    name="row_sums",
    title="with row sums",
    options=(
        Option("row_sums", "Keep the sum mod 3 of each row's trits beside T, and build in SCRUB, "
                           "which compares the two."),
        Option("conserve", "Let updates leave the sum of each row's trits as it is mod 3, in two "
                           "passes over each row; needs --row-sums.", sockets=("debt",)),
    ),
    training=(Option(
        "gf3", "Keep the sum mod 3 of each row's trits, and compare after each epoch, as any "
               "single-bit error of the trits' memory changes it; with conserve, learn without "
               "changing it.  [default: neither]", None, choices=("check", "conserve")),),
    wanted=lambda run: {"row_sums": run.gf3 is not None, "conserve": run.gf3 == "conserve"},
    needs={"trainable": "the sums follow the update unit"},
    excludes={"update_rows": "the sums follow one row at a time"},
    ops=(Op.SCRUB,),
    circuit="RowSums",
    golden="RowSums",
    device="RowSums",
    run="RowSums",
    acts={"scrub": "without row sums: it cannot scrub"},
    sockets=("dispatch", "window", "changes", "trits"),
    windows=(Window(Space.SUMS, _depth, lambda c: 2, lambda c: 1, "memory"),),
    memories=lambda c: (Memory("SUMS (row sums)", "hidden_depth", c.sum_depth, 2,
                               "engine.row_sums.memory"),),
    trial_programs=lambda rng, layers, samples: (programs.scrub(layers),),
    rows={"number": lambda c: range(c.sum_depth)},
)
