"""The margin rule: backward and update where the label does not lead by the margin."""

from ..record import Rule

__all__ = ["MARGIN"]

MARGIN = Rule("margin", "by the margin rule", lacks={}, method="method:Margin",
              golden="golden:golden")
