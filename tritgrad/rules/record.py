"""The record of a learning rule: what ``tritgrad train --rule`` needs to know of it.

A rule's folder ``tritgrad/rules/<name>/`` holds a `Rule` in ``__init__.py``. A rule that the units
of a core can learn is the text of a program, and needs nothing else. One that needs more names a
`Method` (``method``) and, so that the golden model trains fast, a `Golden` (``golden``) in modules
of its folder, which are loaded when they are needed.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..option import Option
from ..units.registry import TRAINING

__all__ = ["OWN", "Option", "Rule"]

#: Name of a rule of the user's own, ``train --program``; no folder has it.
OWN = "program"
#: Options that the margin rule has and others may lack; a rule that is a program lacks the latter.
MARGINS = (*TRAINING, "replay")
NOT_OF_PROGRAMS = ("replay",)


@dataclass(frozen=True)
class Rule:
    """A learning rule.

    Parameters
    ----------
    name
        Its folder, and what ``--rule`` takes.
    help
        How it learns, to follow "Learn".
    settings
        Its own options, numbers that are None where they are not given.
    lacks
        Options of a run that it does not have, with the reason; without one it is said to have
        none.
    gain
        Gain exponent of all layers; None: each layer's follows from its inputs.
    device
        Whether cores can learn it, or only the golden model.
    method, golden
        Module and class in its folder, or a function that chooses one; "" for what follows from
        its program.
    text
        Its program, if that is what it is made of.
    source
        File that the text is of, if it is the user's own.
    """

    name: str
    help: str
    settings: tuple[Option, ...] = ()
    lacks: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(NOT_OF_PROGRAMS, ""))
    gain: int | None = None
    device: bool = True
    method: str = ""
    golden: str = ""
    text: str = ""
    source: str = ""

    def part(self, name: str) -> Any:
        """What its folder names so, given as ``module:Class``; loaded now."""
        module, _, name = name.partition(":")
        return getattr(importlib.import_module(f"tritgrad.rules.{self.name}.{module}"), name)
