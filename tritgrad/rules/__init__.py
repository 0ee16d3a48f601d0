"""Learning rules: a folder and a line each (docs/new-rule.md).

The order is that of ``--rule``'s help.
"""

from .fd import FD
from .margin import MARGIN
from .record import Option, Rule
from .sign import SIGN
from .spsa import SPSA

__all__ = ["MARGIN", "RULES", "SETTINGS", "rule_named"]

RULES = (
    MARGIN,
    SPSA,
    FD,
    SIGN,
)

#: The options of all rules by name, each once.
SETTINGS: dict[str, Option] = {setting.name: setting for rule in RULES
                                for setting in rule.settings}


def rule_named(name: str) -> Rule | None:
    """The rule of that name, if there is one."""
    return next((rule for rule in RULES if rule.name == name), None)
