"""The kinds of hard decisions of the core, and what the surrogate gradient of each means."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["KINDS", "Kind"]


@dataclass(frozen=True)
class Kind:
    """A line of the ledger.

    Attributes
    ----------
    decides
        What, and when.
    means
        Of which function the surrogate gradient is the gradient; what the chip uses of it.
    biased
        Where that differs from the effect of the decision.
    """

    decides: str
    means: str
    biased: str


KINDS = {
    "trit": Kind(
        "a weight is +1, 0 or -1 by the two thresholds of its counter",
        "gradient of two sigmoids in place of the thresholds; the chip adds it to the counter as "
        "if the trit moved with it (straight-through)",
        "in the middle of a cell the counter's true effect is none; at a threshold it is a jump"),
    "rounding": Kind(
        "z >> S rounds down to a step of the activation",
        "gradient of z / 2^S less the mean rounding error (straight-through)",
        "wrong by up to one step, always down"),
    "gate low": Kind(
        "a hidden neuron is cut off at 0 where z < 0",
        "gradient of a mixture of the value and 0; the chip lets the error pass where nothing is "
        "clipped and nowhere else",
        "a neuron that is off gets no error, so it comes on only by its other samples"),
    "gate high": Kind(
        "a hidden neuron stops at 2^a - 1 where z reaches 2^(S + a)",
        "gradient of a mixture of the value and the top; the chip stops the error there",
        "a saturated neuron is not told to come down"),
    "argmax": Kind(
        "the prediction is the first largest score",
        "gradient of the softmax-weighted mean of the scores; the chip uses none of it",
        "near ties the mean is no class's score"),
    "rival": Kind(
        "the rival is the first largest score but the label's",
        "gradient of the softmax-weighted mean; the chip gives -1 to the hard rival alone",
        "classes close behind the rival are not pushed down"),
    "margin": Kind(
        "the sample is learned where the label leads by less than M",
        "gradient of gate * (M - gap); the chip's is that of the hinge max(0, M - gap), +1 and -1",
        "a sample just inside the margin is as heavy as one far inside, one just outside nothing"),
    "error": Kind(
        "an error of a hidden neuron is the sign of its votes W^T e, where its gate is open",
        "gradient of two sigmoids in place of the sign; the chip keeps the sign alone",
        "one vote counts like many, so deep layers may go against the gradient"),
    "dither": Kind(
        "a step x 2^g with g < 0 rounds up or down by a draw",
        "in the mean the exact step",
        "unbiased in the mean, noise of up to one step a sample; there is none for g >= 0"),
    "flip": Kind(
        "a counter crosses a threshold and its trit changes",
        "pathwise: gradients are those of the trits before the update",
        "the gradient does not see that many trits of a row flip at once"),
    "saturation": Kind(
        "a counter stops at the end of its range",
        "the straight-through gradient says to go on; it has no effect",
        "what is lost at the end is not made up for when the direction turns"),
    "reload": Kind(
        "a counter that has flipped is set three quarters into its new cell",
        "no gradient: the jump is not in the surrogate",
        "biased to keep the new trit; it takes a longer way back than it came"),
}
