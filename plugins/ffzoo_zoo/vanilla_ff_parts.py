"""The torch code of :mod:`ffzoo_zoo.vanilla_ff`."""

from __future__ import annotations

import torch
from torch import Tensor

from ffzoo.plugin import Build, Context, Goodness, LocalLoss, pool_grid


class Activity(Goodness):
    """The features themselves averaged over maps: ``(B, D)`` or ``(B, C, H, W)`` -> one number per unit or channel."""

    kind = "embedding"

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """Return ``(B, D)`` or ``(B, C)``."""
        return pool_grid(h, 1)


class PeerNorm(LocalLoss):
    """How unequally active the units are on average: none should fall silent, nor be on for everything.

    With the activity a ``(B, D)`` of each unit::

        m <- 0.9 m + 0.1 (mean of a over the positive samples of the batch)      starts at 1/2
        L  = mean over units of (m - mean of m)^2

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
        """Return the variance of m over the units; the gradient is that of this batch's share of m."""
        mean = self.momentum * self.mean + (1 - self.momentum) * scores[0].mean(0)
        self.mean.copy_(mean.detach())
        return (mean - mean.mean()).square().mean()
