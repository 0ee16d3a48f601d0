"""Faults that are planted in the unit are found by the comparisons of the other tests."""

import random
from dataclasses import replace

import numpy as np
import pytest

from tritgrad.firmware.isa import Op, encode
from tritgrad.model.config import CoreConfig
from tritgrad.model.convolution.shape import Convolution
from tritgrad.model.front import front_fields
from tritgrad.model.layout import Layer
from tritgrad.model.machine import Sample
from tritgrad.units.conv import (
    Sizes,
    features,
    forward,
    gather,
    greatest,
    images,
    learn,
    rtl,
    sums,
    walk,
)

from ...hw.formal.prover import planted
from . import test_forward, test_learn, test_rtl, test_stops
from .harness import random_kernels

SIZES = Sizes(lanes=6, rows=6, columns=6, kernel=3, pool=2, planes=2, kernels=4, at_once=2,
              bits=2, counter_bits=8)


def forwards():
    """An image of one value: all sums of a kernel are equal."""
    conv = Convolution(6, 6, 4, 3, 2)
    rng = random.Random(1)
    test_forward.compare(SIZES, [(conv, random_kernels(rng, conv), np.full((6, 6), 2))])


def learns():
    """Two images, errors at one kernel only."""
    conv, rng = Convolution(6, 6, 4, 3, 2, counter_bits=8, gain=0), random.Random(2)
    errors = np.zeros(conv.outputs, np.int64)
    errors[1::4] = 1
    pixels = np.arange(36).reshape(6, 6) % 4
    test_learn.compare(SIZES, 2, [(random_kernels(rng, conv), pixels, errors)] * 2, 1)


def learns_late():
    """The same, with errors that come slowly, and others from the image before."""
    conv, rng = Convolution(6, 6, 4, 3, 2, counter_bits=8, gain=0), random.Random(2)
    cases = []
    for wrong in 1, -1:
        errors = np.full(conv.outputs, wrong)
        cases.append((random_kernels(rng, conv), np.arange(36).reshape(6, 6) % 4, errors))
    test_learn.compare(SIZES, 2, cases, 1, pause=lambda: 9)


def programs():
    """Three samples are learned; to look at one takes longer than to learn it."""
    runs(test_rtl.learning(1, 3), 3)


def repeats():
    """KERNELS once more for another image, with the errors of the one before."""
    *words, kernels = test_rtl.train(1)
    runs([*words, kernels, *words[:2], kernels, encode(Op.HALT)], 2)


def runs(program, samples):
    """A program over images of 15 x 8 pixels."""
    rng = random.Random(3)
    config = CoreConfig(
        lanes=8, banks=2, update_lanes=8, counter_bits=8, activation_bits=1, input_planes=2,
        max_layers=1, max_inputs=168, max_neurons=2, max_classes=2, trit_depth=21,
        residual_depth=42, hidden_depth=21, program_depth=32, slot_bytes=128, conv_kernels=8,
        conv_rows=15, conv_columns=8, conv_kernel=2, conv_pool=2, conv_planes=2, conv_at_once=1,
        conv_bits=2, conv_counter_bits=8)
    conv = Convolution(15, 8, 8, 2, 2, counter_bits=8, gain=0, shift=1)
    front = Layer(**front_fields(config, conv))
    layers = [Layer(168, 2, 2, 0, 4)]
    run = test_rtl.lockstep_of(rng, config, front, layers, program, 1)
    run.samples = [Sample(np.array([rng.randrange(4) for _ in range(120)]), n % 2)
                   for n in range(samples)]
    run.run(step=False)


def skips():
    """An image with a pixel in a corner, where windows are skipped."""
    sizes = replace(SIZES, kernels=6, at_once=1, lanes=12)
    conv, rng = Convolution(6, 6, 6, 3, 2), random.Random(6)
    pixels = np.zeros((6, 6), np.int64)
    pixels[5, 5] = 3
    test_forward.compare(sizes, [(conv, random_kernels(rng, conv), pixels)] * 2)


def aborts():
    """ABORT inside CONV, then all samples once more."""
    test_stops.interrupted(random.Random("7 0"), test_stops.Aborted)


def resets():
    """A reset inside KERNELS, then all once more."""
    test_stops.interrupted(random.Random("7 0"), test_stops.Reset)


FAULTS = {
    "a tie goes to the later place": (
        forwards, greatest, "second > sum", "second >= sum", forward, "Greatest"),
    "sums are not cleared": (
        learns, sums, "Mux(first, 0, memory.word.sums[n])", "memory.word.sums[n]",
        gather, "PatchSums"),
    "a draw without an error": (
        learns, learn, "self.rebuilding | self.found)",
        "self.rebuilding | ~self.found | self.found)",
        test_learn, "KernelSteps"),
    "places of the other image": (
        programs, features, "Cat(self.place_address, self.hand)",
        "Cat(self.place_address, ~self.hand)", images, "FeatureStore"),
    "features of kernels as they were": (
        programs, rtl, "with m.If(self.kernels.changes | dispatch.clear):",
        "with m.If(dispatch.clear):",
        rtl, "ConvUnit"),
    "looking ahead is not given up": (
        programs, rtl, "self.stop.eq(self.add | self.kernels.changes | dispatch.linked)",
        "self.stop.eq(self.kernels.changes | dispatch.linked)", rtl, "ConvUnit"),
    "errors are read before they come": (
        learns_late, gather, "self.there.eq(whole | (self.address < written))",
        "self.there.eq(1)", test_learn, "ErrorWords"),
    "steps before the sums": (
        learns, learn, "m.If(self.summed | self.rebuilding)", "m.If(1)", test_learn,
        "KernelSteps"),
    "sums of the image before": (
        repeats, rtl, "with m.If(anew | lost):", "with m.If(anew):", rtl, "ConvUnit"),
    "a window that is not blank is skipped": (
        skips, walk, "Cat(lit, part.any())", "Cat(lit, part[0])", test_forward, "WindowWalk"),
    "features from before ABORT": (
        aborts, rtl, "with m.If(self.kernels.changes | dispatch.clear):",
        "with m.If(self.kernels.changes):",
        rtl, "ConvUnit"),
    "trits from before a reset": (
        resets, rtl, "written = Signal(init=1)", "written = Signal()", rtl, "ConvUnit"),
}


@pytest.mark.parametrize("compare", [forwards, learns, learns_late, programs, repeats, skips,
                                     aborts, resets])
def test_without_a_fault(compare):
    compare()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(fault, monkeypatch):
    compare, module, old, new, user, name = FAULTS[fault]
    monkeypatch.setattr(user, name, getattr(planted(module, old, new), name))
    with pytest.raises(AssertionError):
        compare()
