"""discrete-backprop (plurigrid/asi): descent on trits, ternary layers, GF(3) conservation.

`tritgrad.model.discrete` does the work; here are the source's names, keywords, lists and single
gradients. Programs run after ``sys.modules["discrete_backprop"] = ...`` this package. Imports are
absolute, so that its submodules may be imported under either name and share all classes.
"""

from tritgrad.sources.discrete_backprop.conserve import GF3ConservativeOptimizer
from tritgrad.sources.discrete_backprop.descent import (
    DiscreteBackprop,
    SimultaneousPerturbation,
    color_guided_optimization,
)
from tritgrad.sources.discrete_backprop.layers import TernaryLayer, TernaryMLP
from tritgrad.sources.discrete_backprop.single import TritGradient

__all__ = ["DiscreteBackprop", "GF3ConservativeOptimizer", "SimultaneousPerturbation",
           "TernaryLayer", "TernaryMLP", "TritGradient", "color_guided_optimization"]
