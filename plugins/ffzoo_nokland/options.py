"""Options of the similarity head."""

from __future__ import annotations

from dataclasses import dataclass

from ffzoo.registry.options import check, require


@dataclass(frozen=True)
class Similarity:
    """What the similarity of two samples is measured on.

    Attributes:
        grid: windows a side to which maps are averaged first; 0 for the map itself, as published.
    """

    grid: int = 8

    def __post_init__(self) -> None:
        check(self)
        require(self.grid >= 0, "grid", self.grid, "at least 0")
