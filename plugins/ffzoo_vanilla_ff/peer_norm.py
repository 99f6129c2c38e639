"""Peer normalization (Hinton 2022, arXiv:2212.13345; the form is that of a public reimplementation).

    m <- 0.9 m + 0.1 (mean of a over the positive samples of the batch)      starts at 1/2
    L  = mean over units of (m - mean of m)^2

a ``(B, D)`` is the activity of each unit. No unit is to fall silent, nor to be on for everything.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ffzoo.parts.base import Build, Context, Goodness, LocalLoss
from ffzoo.parts.projection import pool_grid


class Activity(Goodness):
    """The features themselves averaged over maps: ``(B, D)`` or ``(B, C, H, W)`` -> one number a unit or channel."""

    kind = "embedding"

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """``(B, D)`` or ``(B, C)``."""
        return pool_grid(h, 1)


class PeerNorm(LocalLoss):
    """How unequally active the units are on average; see the module's text.

    Attributes:
        mean: m ``(D,)``, a buffer.
    """

    accepts = ("embedding",)
    batch_level = True
    momentum = 0.9
    mean: Tensor

    def __init__(self, config: None, build: Build) -> None:
        super().__init__(config, build)
        self.register_buffer("mean", torch.full(build.shape[:1], 0.5))

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """Variance of m over the units; the gradient is that of this batch's share of m."""
        mean = self.momentum * self.mean + (1 - self.momentum) * scores[0].mean(0)
        self.mean.copy_(mean.detach())
        return (mean - mean.mean()).square().mean()
