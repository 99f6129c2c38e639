"""Options of SoftHebb."""

from __future__ import annotations

from dataclasses import dataclass

from ffzoo.registry.options import check, require


@dataclass(frozen=True)
class SoftHebb:
    """A Hebbian rule and its probe.

    Attributes:
        forward_norm: name of the normalization of what a block reads of the block before; ``"auto"`` is ``layernorm``
            between native blocks and ``none`` in a model that brings norms of its own.
        inverse_temperature: beta of the competition's softmax.
        radius: norm that every unit's weights start with; 0 leaves them as they are. The rule draws it to 1.
        grid: pooling windows a side of the probe.
    """

    forward_norm: str = "auto"
    inverse_temperature: float = 4.0
    radius: float = 5.0
    grid: int = 2

    def __post_init__(self) -> None:
        check(self)
        require(self.inverse_temperature > 0, "inverse_temperature", self.inverse_temperature, "> 0")
        require(self.radius >= 0, "radius", self.radius, "at least 0")
        require(self.grid >= 1, "grid", self.grid, "at least 1")
