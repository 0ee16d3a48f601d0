"""What the options say of the network, refused in the user's words, and its convolution.

Options are those of `tritgrad.host.run.options.TrainOptions`, which stands above this module.
"""

from typing import Any

from ...errors import BadInput
from ...model.convolution.shape import Convolution, parse_kernels
from ...model.recipe import MIN_GAIN
from ...units.registry import TRAINING
from ..data.codings.images import Channels
from ..data.datasets import Dataset
from .option_list import BY_NAME

__all__ = ["check_convolution", "check_network", "convolution"]

#: Options that a convolution goes without: no unit of a core knows of it.
WITHOUT = (*TRAINING, "from_model")
#: Of each option of a convolution its number in the model, and its default.
NUMBERS = {"pool": ("pool", 3), "conv_bits": ("bits", 2), "conv_counter_bits": ("counter_bits", 12),
           "conv_shift": ("shift", None), "conv_gain": ("gain", -2)}


def check_network(options: Any) -> None:
    """Refuse in the user's words what a recipe would refuse in its own."""
    for size in options.hidden:
        if not 1 <= size <= 65535:
            raise BadInput(f"--hidden must be sizes from 1 to 65535, not {size}")
    most = options.counter_bits - 2 - options.wrong
    for option, value in ("--gain", options.gain), ("--output-gain", options.output_gain):
        if value is not None and not MIN_GAIN <= value <= most:
            raise BadInput(f"{option} must be from {MIN_GAIN} to {most}, not {value}")
    if options.act_shift is not None:
        layers = len(options.hidden)
        if len(options.act_shift) != layers:
            raise BadInput(f"--act-shift must be {layers} integers, one for each layer of "
                           f"--hidden, not {','.join(map(str, options.act_shift))}")
        for shift in options.act_shift:
            if not 0 <= shift <= 31:
                raise BadInput(f"--act-shift must be from 0 to 31, not {shift}")


def check_convolution(options: Any) -> None:
    """Refuse options that do not go with a convolution, if there is one."""
    if options.conv is None:
        return
    parse_kernels(options.conv)
    if options.rule != "margin":
        raise BadInput(f"--rule {options.rule} has no --conv; leave it away")
    for name in WITHOUT:
        if getattr(options, name) != BY_NAME[name].default:
            raise BadInput(f"--conv goes without {BY_NAME[name].flags}; leave one away")
    if options.wrong not in (0, 1):
        raise BadInput(f"--wrong must be 0 or 1, not {options.wrong}")


def convolution(options: Any, data: Dataset) -> Convolution | None:
    """The convolution over the images of a data set, if the options ask for one."""
    if options.conv is None:
        for name in (*NUMBERS, "wrong"):
            value = getattr(options, name)
            if value is not None and (name, value) != ("wrong", 0):
                raise BadInput(f"--{name.replace('_', '-')} {value} is of a convolution; give "
                               "--conv FxKxK too")
        return None
    if data.image_shape is None:
        raise BadInput(f"--conv {options.conv} is for images; {data.name} has plain features")
    coding, channels = data.coding, 1
    if isinstance(coding.steps[-1], Channels):
        channels = coding.steps[-1].directions
    elif not coding.keeps_pixels:
        raise BadInput(f"--conv {options.conv} sees pixels or channels, not --encode "
                       f"{coding.text}")
    kernels, kernel = parse_kernels(options.conv)
    given = {number: default if (value := getattr(options, name)) is None else value
             for name, (number, default) in NUMBERS.items()}
    try:
        return Convolution(*data.image_shape, kernels, kernel, channels=channels,
                           planes=coding.planes,
                           **{name: value for name, value in given.items() if value is not None})
    except BadInput as error:
        text = str(error).removeprefix("convolution: ")
        raise BadInput(f"--conv {options.conv} --pool {given['pool']}: {text}") from None
