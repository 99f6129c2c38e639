"""Options of the collaborative loss."""

from __future__ import annotations

from dataclasses import dataclass

from ffzoo.registry.options import check, require


@dataclass(frozen=True)
class Collaborative:
    """Logistic loss of the network's goodness against a threshold.

    Attributes:
        threshold: a block's share of the threshold; it is multiplied by the number of blocks.
        scale: factor of the goodness less its threshold.
    """

    threshold: float = 2.0
    scale: float = 8.0

    def __post_init__(self) -> None:
        check(self)
        require(self.scale > 0, "scale", self.scale, "> 0")
