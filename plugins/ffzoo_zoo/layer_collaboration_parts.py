"""The torch code of :mod:`ffzoo_zoo.layer_collaboration`."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ffzoo.plugin import Build, Context, LocalLoss
from ffzoo_zoo import layer_collaboration


class Collaborative(LocalLoss):
    """The logistic loss of the network's goodness, of which a block can change its own share alone.

    For a network of L blocks::

        gamma_l = sum over j != l of G_j, stop-gradient
        L_l     = mean of softplus(-+ s (G_l + gamma_l - L theta)) over positive and negative samples

    The other blocks' goodness is that of the weights before the step.
    """

    views = 2
    requires = ("others",)
    coupling = "values"

    def __init__(self, config: layer_collaboration.Collaborative, build: Build) -> None:
        super().__init__(config, build)
        self.threshold, self.scale = config.threshold * build.depth, config.scale

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """Return the mean over both views' goodness G_l ``(B,)``, with gamma_l from the context."""
        positive, negative = (g + gamma for g, gamma in zip(scores, ctx.others, strict=True))
        up = F.softplus(self.scale * (self.threshold - positive)).mean()
        down = F.softplus(self.scale * (negative - self.threshold)).mean()
        return (up + down) / 2
