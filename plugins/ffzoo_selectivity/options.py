"""Options of the selective goodness."""

from __future__ import annotations

from dataclasses import dataclass

from ffzoo.registry.options import check, require


@dataclass(frozen=True)
class TopK:
    """How many of the features count.

    Attributes:
        share: of the features, the most active; at least one.
    """

    share: float = 0.02

    def __post_init__(self) -> None:
        check(self)
        require(0 < self.share <= 1, "share", self.share, "more than 0, at most 1")
