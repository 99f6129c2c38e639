"""The self-contrastive loss."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ffzoo.parts.base import Build, Context, LocalLoss
from ffzoo_scff import options


class TwoThresholds(LocalLoss):
    """Mean over positions of softplus(a (theta+ - G+)) + softplus(b (G- - theta-)), plus lambda ||G+||_2.

    G+ and G- are maps ``(B, P)``; the options are :class:`ffzoo_scff.options.TwoThresholds`.
    """

    accepts = ("map",)
    views = 2

    def __init__(self, config: options.TwoThresholds, build: Build) -> None:
        super().__init__(config, build)
        self.config = config

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """The mean over the batch."""
        positive, negative = scores
        c = self.config
        up = F.softplus(c.positive_scale * (c.positive - positive)).mean()
        down = F.softplus(c.negative_scale * (negative - c.negative)).mean()
        return up + down + c.penalty * positive.norm(dim=1).mean()
