"""Options of the class hierarchy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ffzoo.registry.options import check


@dataclass(frozen=True)
class Hierarchy:
    """Which level of the hierarchy a block learns.

    Attributes:
        levels: ``"linear"`` spreads the levels evenly over the blocks, the coarsest at the first and the classes
            themselves at the last; ``"increasing"`` goes one level down with every block until it meets the classes.
    """

    levels: Literal["linear", "increasing"] = "linear"

    def __post_init__(self) -> None:
        check(self)
