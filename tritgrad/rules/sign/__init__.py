"""Ternary layers that learn by signs: plurigrid/asi, skill discrete-backprop, TernaryMLP."""

from dataclasses import replace

from ..record import MARGINS, Option, Rule
from ..settings import SPARSITY

__all__ = ["SIGN"]

VOTE = Option("vote", "With --rule sign, let N samples vote on each step of a weight.  [default: "
                      "1, which is the source's rule and learns nothing]", None, (1, 4096))

SIGN = Rule("sign", "by the signs of ternary layers, which only the golden model does",
            (VOTE, replace(SPARSITY, beside="vote")),
            dict.fromkeys(("margin", "gain", "output_gain", "act_shift", "floor", *MARGINS), ""),
            device=False, method="golden:Sign", golden="golden:SignGolden")
