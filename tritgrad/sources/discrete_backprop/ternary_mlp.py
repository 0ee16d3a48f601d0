"""``python -m tritgrad.sources.discrete_backprop.ternary_mlp``: the source's network, in training.

It is ``tritgrad train --rule sign``, with ``--vote`` unless another one is given: `VOTE` samples
vote on each step, as one alone teaches nothing. ``--vote 1`` is the source as it stands.
"""

import sys

from tritgrad.host.cli.main import cli
from tritgrad.sources.discrete_backprop.layers import TernaryLayer, TernaryMLP

__all__ = ["TernaryLayer", "TernaryMLP"]

#: Samples that vote on a step.
VOTE = 64


def main() -> None:
    """Train with the options of ``tritgrad train``."""
    given = sys.argv[1:]
    vote = [] if any(word.split("=")[0] in ("--vote", "--resume") for word in given) \
        else ["--vote", str(VOTE)]
    sys.exit(cli.main(["train", "--rule", "sign", *vote, *given], prog_name="ternary_mlp"))


if __name__ == "__main__":
    main()
