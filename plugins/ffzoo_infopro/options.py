"""Options of the decoder and of the two losses."""

from __future__ import annotations

from dataclasses import dataclass

from ffzoo.registry.options import check, require


@dataclass(frozen=True)
class Decoder:
    """A small network back to the input.

    Attributes:
        width: channels of its hidden layer; flat features are decoded by a linear layer, which has none.
    """

    width: int = 12

    def __post_init__(self) -> None:
        check(self)
        require(self.width >= 1, "width", self.width, "at least 1")


@dataclass(frozen=True)
class ByDepth:
    """A weight that lies on a line from the first block to the last but one; the last has a fixed one.

    Attributes:
        first: weight in the first block.
        last: weight in the last block but one.
    """

    first: float = 1.0
    last: float = 1.0

    def __post_init__(self) -> None:
        check(self)
        require(self.first >= 0, "first", self.first, "at least 0")
        require(self.last >= 0, "last", self.last, "at least 0")


@dataclass(frozen=True)
class Reconstruction(ByDepth):
    """lambda_1 of the reconstruction, 0 in the last block.

    Attributes:
        first: lambda_1 in the first block.
        last: lambda_1 in the last block but one.
    """


@dataclass(frozen=True)
class DepthCrossEntropy(ByDepth):
    """lambda_2 of the cross-entropy, 1 in the last block.

    Attributes:
        first: lambda_2 in the first block.
        last: lambda_2 in the last block but one.
    """
