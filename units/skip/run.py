"""Skip connections in a run."""

from collections.abc import Mapping
from typing import Any

from ...errors import BadInput
from ..run_part import RunPart

__all__ = ["Skip"]


class Skip(RunPart):
    """See `units.run_part.RunPart`."""

    def recipe(self, options: Any) -> Mapping[str, Any]:
        return {"skip": options.skip}

    def options(self, recipe: Any, parts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"skip": recipe.skip}

    def check(self, core: Any, recipe: Any, name: str) -> None:
        if recipe.skip is not None and not core.skip:
            raise BadInput(f"{name} was built without skip connections")

    def report(self, outcome: Any) -> Mapping[str, Any]:
        """S."""
        return {"skip": outcome.recipe.skip}
