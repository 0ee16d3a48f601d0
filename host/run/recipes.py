"""Recipes by name: options that were found together, on validation rows."""

from collections.abc import Mapping
from typing import Any

from ...model.convolution.nets import NETS

__all__ = ["RECIPES"]


#: What the recipes with a convolution share.
CONV: Mapping[str, Any] = {
    "device": "model", "encode": "planes:2", "epochs": 30, "gain": 0, "output_gain": -2,
    "floor": -2, "wrong": 1, "shift_augment": 1}


def _behind(name: str, **others: Any) -> Mapping[str, Any]:
    """The options of a network behind a convolution."""
    net = NETS[name]
    c = net.conv
    return {"conv": f"{c.kernels}x{c.kernel}x{c.kernel}", "pool": c.pool, "conv_gain": c.gain,
            "hidden": net.hidden, **CONV, **others}


#: What each option is where it is not given.
RECIPES: dict[str, Mapping[str, Any]] = {
    "r1": {  # MNIST on small boards: 784 inputs of a bit
        "encode": "deskew:128,edges:128:8:2,select:784", "hidden": (128,), "epochs": 30,
        "floor": -2, "shift_augment": 1, "augment": "rotate=1,shear=2,vstretch=2,hstretch=2",
        "clean_epochs": 6},
    "r2": {  # Fashion-MNIST
        "encode": "edges:6+16+36+72:4:2", "hidden": (128,), "epochs": 30, "floor": -2,
        "act_shift": (3,), "shift_augment": 1, "augment": "flip", "clean_epochs": 6},
    "r4": {  # MNIST on larger boards: 1,568 inputs of a bit
        "encode": "deskew:128,edges:128:8:2", "hidden": (256,), "epochs": 40, "floor": -2,
        "shift_augment": 1, "augment": "rotate=2,shear=3,vstretch=2,hstretch=2",
        "clean_epochs": 8},
    "r5": _behind(  # MNIST behind 12 kernels
        "r5", augment="rotate=2,shear=3,vstretch=2,hstretch=2"),
    "r6": _behind(  # MNIST behind 24 kernels
        "r6", augment="rotate=2,shear=3,vstretch=2,hstretch=2"),
    "r8": _behind(  # Fashion-MNIST behind 16 kernels that see edges
        "r8", encode="channels:6+16+36:4", act_shift=(4,), augment="flip", clean_epochs=6),
}
