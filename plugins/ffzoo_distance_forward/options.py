"""Options of the distance to centroids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ffzoo.registry.options import check, require


@dataclass(frozen=True)
class Centroids:
    """A centroid a class in the space of pooled features.

    Attributes:
        grid: windows a side to which maps are averaged, clipped to the map; ``"all"`` keeps every position.
    """

    grid: int | Literal["all"] = 4

    def __post_init__(self) -> None:
        check(self)
        require(self.grid == "all" or self.grid >= 1, "grid", self.grid, "at least 1, or 'all'")
