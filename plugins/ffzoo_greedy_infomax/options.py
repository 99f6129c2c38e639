"""Options of the prediction."""

from __future__ import annotations

from dataclasses import dataclass

from ffzoo.registry.options import check, require


@dataclass(frozen=True)
class InfoNCE:
    """Prediction of a map's lower rows from its upper ones.

    Attributes:
        steps: how many rows further down are predicted, from one to so many, each with a matrix of its own; fewer
            where the map is too small.
        skip: rows that are left out below a context, whose patches would overlap with it; none where the map is too
            small.
        grid: windows a side to which a map is averaged first.
    """

    steps: int = 5
    skip: int = 1
    grid: int = 7

    def __post_init__(self) -> None:
        check(self)
        require(self.steps >= 1, "steps", self.steps, "at least 1")
        require(self.skip >= 0, "skip", self.skip, "at least 0")
        require(self.grid >= 2, "grid", self.grid, "at least 2")
