"""Options of the second view and of the contrast."""

from __future__ import annotations

from dataclasses import dataclass

from ffzoo.registry.options import check, require


@dataclass(frozen=True)
class SecondView:
    """Another view of a sample.

    Attributes:
        shift: images are moved by up to so many pixels in each direction, over their own mirror image.
        flip: mirror every second image left to right.
        noise: deviation of Gaussian noise on every input.
    """

    shift: int = 2
    flip: bool = False
    noise: float = 0.1

    def __post_init__(self) -> None:
        check(self)
        require(self.shift >= 0, "shift", self.shift, "at least 0")
        require(self.noise >= 0, "noise", self.noise, "at least 0")


@dataclass(frozen=True)
class MarginSupCon:
    """Supervised contrast with a margin for samples of one class.

    Attributes:
        temperature: of the softmax over cosines.
        first: margin of the first block.
        last: margin of the last block; those between lie on a line.
    """

    temperature: float = 0.15
    first: float = 0.4
    last: float = 0.1

    def __post_init__(self) -> None:
        check(self)
        require(self.temperature > 0, "temperature", self.temperature, "> 0")
        require(0 <= self.first < 2, "first", self.first, "in [0, 2)")
        require(0 <= self.last < 2, "last", self.last, "in [0, 2)")
