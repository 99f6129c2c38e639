"""Options of the noise and of the two dimensionalities."""

from __future__ import annotations

from dataclasses import dataclass

from ffzoo.registry.options import check, require


@dataclass(frozen=True)
class NoisyCopy:
    """A copy with noise.

    Attributes:
        drop: share of the inputs that become 0; the others are enlarged to the same mean.
    """

    drop: float = 0.2

    def __post_init__(self) -> None:
        check(self)
        require(0 <= self.drop < 1, "drop", self.drop, "in [0, 1)")


@dataclass(frozen=True)
class Dimensionality:
    """Two effective dimensionalities against each other.

    Attributes:
        within: weight of the dimensionality within the copies of a sample, which becomes small.
        between: weight of the dimensionality of the batch, which becomes large.
    """

    within: float = 0.5
    between: float = 0.5

    def __post_init__(self) -> None:
        check(self)
        require(self.within >= 0, "within", self.within, "at least 0")
        require(self.between >= 0, "between", self.between, "at least 0")
