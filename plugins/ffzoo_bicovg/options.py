"""Options of the bi-axis covariance goodness."""

from __future__ import annotations

from dataclasses import dataclass

from ffzoo.registry.options import check, require


@dataclass(frozen=True)
class BiCovG:
    """Second-order statistics of a block's features, times a learned class matrix.

    Attributes:
        mixtures: number of learned mixtures of channels.
        scales: windows a side are 1, 2, 4, ..., so many of them, each clipped to the map.
    """

    mixtures: int = 64
    scales: int = 3

    def __post_init__(self) -> None:
        check(self)
        require(self.mixtures >= 1, "mixtures", self.mixtures, "at least 1")
        require(self.scales >= 1, "scales", self.scales, "at least 1")
