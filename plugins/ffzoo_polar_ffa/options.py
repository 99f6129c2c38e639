"""Options of the polar goodness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ffzoo.registry.options import check


@dataclass(frozen=True)
class Polar:
    """How the two groups' energies are compared.

    Attributes:
        by: their difference, or the difference of their logarithms: then sigmoid(G) = g+ / (g+ + g-).
    """

    by: Literal["difference", "ratio"] = "difference"

    def __post_init__(self) -> None:
        check(self)
