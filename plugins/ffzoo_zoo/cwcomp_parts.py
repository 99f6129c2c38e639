"""The torch code of :mod:`ffzoo_zoo.cwcomp`."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ffzoo.plugin import Build, Context, LocalLoss
from ffzoo_zoo import cwcomp


class PositiveAgainstNegatives(LocalLoss):
    """L_PvN: no positive and negative samples, but positive and negative classes.

    As in the authors' code, right classes and others are two halves of one mean.
    """

    accepts = ("class",)

    def __init__(self, config: cwcomp.PositiveAgainstNegatives, build: Build) -> None:
        super().__init__(config, build)
        self.threshold = config.threshold

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """Return the loss of the positive view's class scores ``(B, K)``."""
        (g,) = scores
        assert ctx.y is not None
        right = g.gather(1, ctx.y[:, None])[:, 0]
        others = (g.sum(1) - right) / (g.shape[1] - 1)
        return (F.softplus(self.threshold - right) + F.softplus(others - self.threshold)).mean() / 2
