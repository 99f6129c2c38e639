"""Options of the momentum auxiliary network."""

from __future__ import annotations

from dataclasses import dataclass

from ffzoo.registry.options import check, require


@dataclass(frozen=True)
class MomentumLayer:
    """A classifier behind a copy of the next block's first layer.

    Attributes:
        momentum: share of the copy that stays from step to step; the rest comes from the next block's weights.
        grid: windows a side to which maps are averaged for the classifier, clipped to the map.
        norm: name of the normalization in front of the copy; ``"auto"`` is ``layernorm`` where blocks are native and
            ``none`` in a model that brings norms of its own, as between the blocks. A recipe with another forward_norm
            needs it here too.
    """

    momentum: float = 0.995
    grid: int = 4
    norm: str = "auto"

    def __post_init__(self) -> None:
        check(self)
        require(0 <= self.momentum < 1, "momentum", self.momentum, "at least 0, less than 1")
        require(self.grid >= 1, "grid", self.grid, "at least 1")
