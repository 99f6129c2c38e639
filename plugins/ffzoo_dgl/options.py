"""Options of the auxiliary network."""

from __future__ import annotations

from dataclasses import dataclass

from ffzoo.registry.options import check, require


@dataclass(frozen=True)
class AuxConv:
    """A small network on pooled features: hidden layers, then a linear layer to the classes.

    Attributes:
        grid: windows a side to which maps are averaged first, clipped to the map.
        width: channels of a hidden layer; 0 for those of the block, but at most 64.
        layers: number of hidden layers.
    """

    grid: int = 4
    width: int = 0
    layers: int = 1

    def __post_init__(self) -> None:
        check(self)
        require(self.grid >= 1, "grid", self.grid, "at least 1")
        require(self.width >= 0, "width", self.width, "at least 0")
        require(self.layers >= 1, "layers", self.layers, "at least 1")
