"""Scales of rows in a run, which learns them."""

from collections.abc import Mapping
from typing import Any

from ...errors import BadInput
from ...model.scales.rows import RowScales
from ..run_part import RunPart

__all__ = ["Scales"]


class Scales(RunPart):
    """See `units.run_part.RunPart`."""

    def recipe(self, options: Any) -> Mapping[str, Any]:
        return {"scale_refresh": options.scale_refresh if options.scales else None}

    def options(self, recipe: Any, parts: Mapping[str, Any]) -> Mapping[str, Any]:
        refresh = recipe.scale_refresh
        return {"scales": "scales" in parts} | (
            {} if refresh is None else {"scale_refresh": refresh})

    def check(self, core: Any, recipe: Any, name: str) -> None:
        if recipe.scale_refresh is not None and not core.scales:
            raise BadInput(f"{name} was built without scales")

    def report(self, outcome: Any) -> Mapping[str, Any]:
        """After how many samples learned the rows' scales are divided anew, and how many there
        were.

        ``exact`` are the least and the greatest by the rule without rounding, ``applied`` those in
        force, ``distance`` the largest distance of a row's two.
        """
        scales = RowScales.of(outcome.state.parts)
        if scales is None or outcome.recipe.scale_refresh is None:
            return {"scales": None}
        inputs = outcome.recipe.layers[:-1]
        exact, applied = (sorted(s for layer in layers for s in layer) for layers in (
            scales.exact(inputs), scales.applied()))
        return {"scales": {
            "refresh": 1 << outcome.recipe.scale_refresh, "steps": scales.step,
            "exact": [float(exact[0]), float(exact[-1])],
            "applied": [float(applied[0]), float(applied[-1])],
            "distance": float(scales.distance(inputs))}}

    def rows(self, report: Mapping[str, Any]) -> list[tuple[str, str]]:
        if report["scales"] is None:
            return []
        (low, high), distance = report["scales"]["exact"], report["scales"]["distance"]
        return [("scales", f"{low:.6f} to {high:.6f}, applied within {distance:.6f}")]
