"""The margin rule on a device: `firmware.programs.train`."""

from ...firmware import programs
from ..method import Method

__all__ = ["Margin"]


class Margin(Method):
    """Each sample is compared and, where the margin is violated, learned."""

    def program(self, samples: int, rest: bool) -> list[int]:
        recipe = self.recipe
        return programs.train(recipe.depth, samples, recipe.margin, rest=rest,
                              scale_refresh=recipe.scale_refresh,
                              front="learns" if recipe.conv else "", wrong=recipe.wrong)
