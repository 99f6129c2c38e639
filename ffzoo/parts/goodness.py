"""Sample goodness: one number per sample."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from ffzoo.backbones.base import full_precision
from ffzoo.parts.base import Build, Context, Goodness


class SumSquares(Goodness):
    """G = sum of h^2 over all features, ``(B, ...) -> (B,)`` (Hinton 2022, arXiv:2212.13345)."""

    closed_form = True
    factor = 1.0

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """Return ``(B,)``."""
        return full_precision(h).square().sum(tuple(range(1, h.dim()))) * self.factor

    def scored(self, h: Tensor, ctx: Context) -> tuple[Tensor, Any]:
        """Keep nothing: dG/dh = 2 h."""
        return self(h, ctx), None

    def pull_back(self, h: Tensor, kept: Any, d_score: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """dL/dh = 2 h dL/dG; where a ReLU was closed, h and so the gradient are zero."""
        slope = (2 * self.factor * d_score).view(-1, *[1] * (h.dim() - 1))
        return h * slope.to(h.dtype), {}


class MeanSquares(SumSquares):
    """G = mean of h^2 over all features, ``(B, ...) -> (B,)``: the sum, free of the block's width."""

    closed_form = True

    def __init__(self, config: None, build: Build) -> None:
        super().__init__(config, build)
        self.factor = 1 / math.prod(build.shape)
