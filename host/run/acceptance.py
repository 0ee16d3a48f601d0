"""A short run on a device, whose every number must be the golden model's."""

import hashlib

import numpy as np

from ...errors import DeviceError
from ...model.config import CoreConfig
from ...model.convolution.shape import Convolution
from ...model.recipe import Recipe
from ..device.driver import Driver
from ..device.session import Session
from ..device.transport import Transport
from .learners import DeviceLearner, ModelLearner

__all__ = ["trains"]


def trains(transport: Transport, seed: int) -> str:
    """Train 16-8-4 on a device for two epochs and infer; the hash of its state, as the model's.

    On a core with a convolution that is in front of 8-4, with its largest images, and wrong samples
    add to exponents.

    Raises
    ------
    DeviceError
        The device learns or predicts otherwise than the golden model.
    """
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, 90)
    driver = Driver(Session(transport, 1 + seed))
    conv = _convolution(driver.config)
    inputs, planes = 16, min(4, driver.config.input_planes)
    if conv is not None:
        inputs, planes = conv.inputs, conv.planes
    bright = rng.integers(0, 1 << planes, (90, inputs)) >> (np.arange(inputs) % 4 != y[:, None])
    x = bright.astype(np.uint8)
    recipe = Recipe.default(
        (16 if conv is None else conv.outputs, 8, 4), planes if conv is None else conv.bits,
        driver.config.counter_bits, driver.config.activation_bits, epochs=2, seed=seed, conv=conv,
        wrong=int(conv is not None))
    found = []
    for learner in DeviceLearner(driver, recipe), ModelLearner(recipe):
        learner.start()
        learner.chunk = len(x)
        stats = [learner.train(x, y, recipe.gains_in(epoch)) for epoch in range(2)]
        state = learner.state()
        data = b"".join(c.astype("<i2").tobytes() for c in state.counters)
        data += state.prng.to_bytes(8, "little")
        found.append((hashlib.sha256(data).hexdigest(), [(s.correct, s.flips) for s in stats],
                      learner.infer(x)[1].tolist()))
    if found[0] != found[1]:
        raise DeviceError(f"{transport.name} trains to {found[0][:2]}, the model to {found[1][:2]}")
    return found[0][0]


def _convolution(c: CoreConfig) -> Convolution | None:
    """The largest that a core has, if any."""
    if not c.conv_kernels:
        return None
    return Convolution(
        c.conv_rows, c.conv_columns, c.conv_kernels, c.conv_kernel, c.conv_pool,
        channels=c.conv_channels, planes=c.conv_planes, bits=c.conv_bits,
        counter_bits=c.conv_counter_bits, gain=0)
