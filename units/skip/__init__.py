"""Skip connections: hidden layers that add their shifted inputs (docs/blending.md)."""

from ..record import Memory, Option, Unit

__all__ = ["MAX_SKIP", "SKIP"]

#: Largest shift of a skip connection.
MAX_SKIP = 7

SKIP = Unit(
    name="skip",
    title="with skip connections",
    options=(Option(
        "skip", "Let hidden layers with as many neurons as inputs add those, shifted."),),
    training=(Option(
        "skip", "Let each hidden layer that has as many neurons as the one below add that one's "
                "activations times 2^S, S from {range}.  [default: none does]", None,
        (0, MAX_SKIP), metavar="S", without=("scales", "prune"), network=True),),
    wanted=lambda run: {"skip": run.skip is not None},
    circuit="SkipConnection",
    golden="Skip",
    sockets=("dispatch", "stage", "stored", "errors", "begins"),
    memories=lambda c: (
        Memory("activations (skip)", "hidden_depth", c.hidden_depth, c.activation_bits * c.lanes,
               "engine.skip.memory"),
        *((Memory("errors (skip)", "hidden_depth", c.output_words * c.steps, 2 * c.update_lanes,
                  "engine.skip.above.memory"),)
          if c.trainable else ())),
    record={"skip": lambda c: range(MAX_SKIP + 2)},
)
