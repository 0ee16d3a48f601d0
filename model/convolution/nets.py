"""Networks behind a convolution that have a name: what recipes train and boards are made for."""

from dataclasses import dataclass

from .shape import Convolution

__all__ = ["NETS", "Net"]


@dataclass(frozen=True)
class Net:
    """A convolution over images of 28 x 28 pixels, and the layers behind it.

    Parameters
    ----------
    conv
        The convolution.
    hidden
        Sizes of the hidden layers.
    classes
        Of the last layer.
    """

    conv: Convolution
    hidden: tuple[int, ...]
    classes: int = 10

    @property
    def layers(self) -> tuple[int, ...]:
        """Inputs of the first dense layer, hidden sizes, classes."""
        return (self.conv.outputs, *self.hidden, self.classes)

    def __str__(self) -> str:
        c = self.conv
        return (f"{c.kernels} x {c.kernel}x{c.kernel}, pool {c.pool}, "
                f"{'-'.join(map(str, self.layers))}")


#: By the recipe's name.
NETS = {
    "r5": Net(Convolution(28, 28, 12, 5), (128,)),
    "r6": Net(Convolution(28, 28, 24, 5), (128,)),
    "r8": Net(Convolution(28, 28, 16, 5, 2, channels=4, gain=-3), (128,)),
}
