"""Row sums in a run: rows are compared after each epoch, and updates may leave their sums."""

from collections.abc import Mapping
from typing import Any

from ...errors import BadInput
from ..run_part import RunPart

__all__ = ["RowSums"]


class RowSums(RunPart):
    """See `units.run_part.RunPart`."""

    def recipe(self, options: Any) -> Mapping[str, Any]:
        return {"conserve": options.gf3 == "conserve"}

    def options(self, recipe: Any, parts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"gf3": "conserve"} if recipe.conserve else {}

    def by_place(self, recipe: Any) -> bool:
        return bool(recipe.conserve)

    def check(self, core: Any, recipe: Any, name: str) -> None:
        if core.conserve != recipe.conserve:
            raise BadInput(f"the core of {name} was built "
                           f"{'to conserve' if core.conserve else 'without conserving'} row sums: "
                           f"--gf3 conserve {'is needed' if core.conserve else 'is not possible'}")

    def epoch_learned(self, options: Any, learner: Any) -> None:
        if options.gf3 is not None:
            learner.act("scrub")

    def report(self, outcome: Any) -> Mapping[str, Any]:
        """``rows_scrubbed`` are the sums mod 3 that were compared with those kept, and agreed, an
        epoch a row."""
        gf3, rows = outcome.options.gf3, sum(outcome.recipe.layers[1:])
        return {"gf3": gf3,
                "rows_scrubbed": len(outcome.position.epochs) * rows if gf3 else None}

    def rows(self, report: Mapping[str, Any]) -> list[tuple[str, str]]:
        if report["gf3"] is None:
            return []
        return [("row sums mod 3", f"{report['rows_scrubbed']:,} compared, all as kept")]
