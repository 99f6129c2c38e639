"""A logistic loss on class scores: no positive and negative samples, but positive and negative classes."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ffzoo.parts.base import Build, Context, LocalLoss
from ffzoo_cwcomp import options


class PositiveAgainstNegatives(LocalLoss):
    """L = mean of (softplus(theta - g_y) + softplus(mean_(k != y) g_k - theta)) / 2; CwComp's "PvN" (arXiv:2312.12668).

    As in the authors' code, right classes and others are two halves of one mean.
    """

    accepts = ("class",)

    def __init__(self, config: options.PositiveAgainstNegatives, build: Build) -> None:
        super().__init__(config, build)
        self.threshold = config.threshold

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """Class scores ``(B, K)`` of the positive view -> scalar."""
        (g,) = scores
        assert ctx.y is not None
        right = g.gather(1, ctx.y[:, None])[:, 0]
        others = (g.sum(1) - right) / (g.shape[1] - 1)
        return (F.softplus(self.threshold - right) + F.softplus(others - self.threshold)).mean() / 2
