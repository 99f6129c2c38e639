"""Options of the auxiliary networks."""

from __future__ import annotations

from dataclasses import dataclass

from ffzoo.registry.options import check, require


@dataclass(frozen=True)
class SampledBlocks:
    """An auxiliary network of layers shaped like later blocks, and a linear classifier.

    Attributes:
        layers: of the first block's network; no block has more than there are blocks behind it.
        pyramid: by how much the number of layers falls up to the last block but one: 0 not at all, 1 to a single layer.
        grid: windows a side to which maps are averaged for the classifier; 1 is global average pooling.
    """

    layers: int = 3
    pyramid: float = 0.5
    grid: int = 1

    def __post_init__(self) -> None:
        check(self)
        require(self.layers >= 1, "layers", self.layers, "at least 1")
        require(0 <= self.pyramid <= 1, "pyramid", self.pyramid, "0 to 1")
        require(self.grid >= 1, "grid", self.grid, "at least 1")
