"""Options of the loss."""

from __future__ import annotations

from dataclasses import dataclass

from ffzoo.registry.options import check


@dataclass(frozen=True)
class PositiveAgainstNegatives:
    """The right class above a threshold, the mean of the others below it.

    Attributes:
        threshold: theta.
    """

    threshold: float = 2.0

    def __post_init__(self) -> None:
        check(self)
