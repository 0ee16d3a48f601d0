"""The support in a run: granules are purged by a plan, and births and deaths counted."""

from collections.abc import Mapping
from typing import Any

from ...errors import BadInput
from ...model.arithmetic import trits
from ...model.blending.granules import Support as Kept
from ...model.blending.pruning import ALL, Pruning
from ...model.config import ceil_div
from ..run_part import RunPart

__all__ = ["Support"]


class Support(RunPart):
    """See `units.run_part.RunPart`."""

    def recipe(self, options: Any) -> Mapping[str, Any]:
        if options.prune is None:
            return {"prune": None}
        every, cutoff = options.prune
        return {"prune": Pruning(every, cutoff, options.banks, options.lanes)}

    def check(self, core: Any, recipe: Any, name: str) -> None:
        prune = recipe.prune
        if prune is None:
            return
        if not core.support:
            raise BadInput(f"the core of {name} was built without a support: "
                           f"--prune is not possible")
        if (core.banks, core.lanes) != (prune.banks, prune.lanes):
            raise BadInput(f"the core of {name} has granules of {core.banks} x {core.lanes} trits, "
                           f"not {prune.banks} x {prune.lanes}: give --banks {core.banks} "
                           f"--lanes {core.lanes}")

    def lanes(self, recipe: Any) -> int | None:
        return None if recipe.prune is None else recipe.prune.lanes

    def begins(self, recipe: Any, rows: int, learner: Any) -> None:
        if recipe.prune is not None:
            recipe.prune.check(recipe.epochs * rows)
            learner.act("purge", [1], 0, ALL)

    def began(self, position: Any, state: Any) -> None:
        position.inside = _granules(state.parts.get("support"))

    def ahead(self, recipe: Any, seen: int) -> int | None:
        return None if recipe.prune is None else recipe.prune.ahead(seen)

    def rests(self, recipe: Any, seen: int, whole: int) -> bool:
        return recipe.prune is not None and recipe.prune.rests(seen, whole)

    def learned(self, trainer: Any, seen: int, whole: int, epoch: Any) -> None:
        """Purge if it is time, and count births and deaths. Between purges nothing dies."""
        recipe, learner, position = trainer.recipe, trainer.learner, trainer.checkpoint.position
        prune = recipe.prune
        if prune is None:
            return
        cutoff = prune.cutoff_after(seen, whole)
        if cutoff is None and seen % (whole // recipe.epochs):
            return
        alive = epoch.inside = _granules(learner.part("support"))
        epoch.births += alive - position.inside
        if cutoff is not None:
            learner.act("purge", prune.layers(recipe.depth), cutoff,
                        prune.small(recipe.counter_bits))
            epoch.inside = _granules(learner.part("support"))
            epoch.deaths += alive - epoch.inside
        position.inside = epoch.inside

    def report(self, outcome: Any) -> Mapping[str, Any]:
        """What the purges left: granules in all and inside the support, and weights whose trit is
        0.

        ``inside_by_epoch`` are those at the end of each epoch, ``births_by_epoch`` and
        ``deaths_by_epoch`` what came in and what a purge took out, in granules.
        """
        prune, recipe, epochs = outcome.recipe.prune, outcome.recipe, outcome.position.epochs
        if prune is None:
            return {"prune": None}
        found = [trits(c, recipe.counter_bits) for c in outcome.state.counters]
        return {"prune": {
            "every": prune.every, "cutoff": prune.cutoff, "banks": prune.banks,
            "lanes": prune.lanes,
            "granules": sum(ceil_div(outputs, prune.banks) * ceil_div(inputs, prune.lanes)
                            for outputs, inputs in recipe.shapes),
            "inside": epochs[-1].inside,
            "zero_trits": sum(int((t == 0).sum()) for t in found) / sum(t.size for t in found),
            "births": sum(e.births for e in epochs), "deaths": sum(e.deaths for e in epochs),
            "inside_by_epoch": [e.inside for e in epochs],
            "births_by_epoch": [e.births for e in epochs],
            "deaths_by_epoch": [e.deaths for e in epochs]}}

    def rows(self, report: Mapping[str, Any]) -> list[tuple[str, str]]:
        pruned = report["prune"]
        if pruned is None:
            return []
        text = (f"{pruned['inside']:,} of {pruned['granules']:,} granules, "
                f"{pruned['births']:,} births, {pruned['deaths']:,} deaths")
        return [("support", text), ("trits that are 0", f"{pruned['zero_trits']:.1%}")]


def _granules(part: Any) -> int:
    """How many are inside the support, if that is what it is."""
    return part.granules if isinstance(part, Kept) else 0
