"""Skip connections: hidden layers that add their shifted inputs (docs/blending.md)."""

from collections.abc import Sequence
from typing import Any

from ..record import Column, Config, Memory, Option, Unit

__all__ = ["MAX_SKIP", "SKIP"]

#: Largest shift of a skip connection.
MAX_SKIP = 7


def _most(config: Config, layers: Sequence[Any], number: int) -> int:
    layer = layers[number - 1]
    hidden = 1 < number < len(layers)
    return MAX_SKIP + 1 if config.skip and hidden and layer.inputs == layer.outputs else 0


SKIP = Unit(
    name="skip",
    title="with skip connections",
    options=(Option(
        "skip", "Let hidden layers with as many neurons as inputs add those, shifted."),),
    training=(Option(
        "skip", "Let each hidden layer that has as many neurons as the one below add that one's "
                "activations times 2^S, S from {range}.  [default: none does]", None,
        (0, MAX_SKIP), metavar="S", network=True),),
    wanted=lambda run: {"skip": run.skip is not None},
    columns=(Column(
        "skip", "B", "0, or 1 + S where a hidden layer adds its inputs times 2^S to its "
                     "pre-activations.", _most, lambda recipe: recipe.skips),),
    excludes={"update_rows": "its errors are added to the sums of one row at a time"},
    circuit="SkipConnection",
    run="Skip",
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
