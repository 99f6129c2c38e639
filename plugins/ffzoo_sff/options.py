"""Options of the auxiliary convolution."""

from __future__ import annotations

from dataclasses import dataclass

from ffzoo.registry.options import check, require


@dataclass(frozen=True)
class ClassEnergy:
    """A convolution from a block's channels to one channel a class.

    Attributes:
        kernel: side of its filters, odd; flat features have a linear layer.
    """

    kernel: int = 1

    def __post_init__(self) -> None:
        check(self)
        require(self.kernel >= 1 and self.kernel % 2 == 1, "kernel", self.kernel, "an odd number")
