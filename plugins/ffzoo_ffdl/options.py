"""Options of the labels for every block."""

from __future__ import annotations

from dataclasses import dataclass

from ffzoo.registry.options import check, require


@dataclass(frozen=True)
class LabelProjections:
    """A learned vector a class and block.

    Attributes:
        scale: standard deviation of the vectors' numbers at the start; what they are added to has a mean square of
            about 1.
    """

    scale: float = 1.0

    def __post_init__(self) -> None:
        check(self)
        require(self.scale > 0, "scale", self.scale, "> 0")
