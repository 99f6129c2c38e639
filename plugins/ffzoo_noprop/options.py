"""Options of NoProp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ffzoo.registry.options import check, require


@dataclass(frozen=True)
class NoProp:
    """A denoiser a block.

    Attributes:
        forward_norm: name of the normalization of what a block reads of the block before; ``"auto"`` is ``layernorm``
            between native blocks and ``none`` in a model that brings norms of its own.
        grid: pooling windows a side to which maps are averaged for the denoiser; ``"all"`` keeps every position.
        width: hidden units of a denoiser.
        eta: weight of the denoising losses.
    """

    forward_norm: str = "auto"
    grid: int | Literal["all"] = 4
    width: int = 128
    eta: float = 0.1

    def __post_init__(self) -> None:
        check(self)
        require(self.grid == "all" or self.grid >= 1, "grid", self.grid, "at least 1, or 'all'")
        require(self.width >= 1, "width", self.width, "at least 1")
        require(self.eta > 0, "eta", self.eta, "> 0")
