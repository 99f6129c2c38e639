"""Supervised contrast of two views, with a margin."""

from __future__ import annotations

import torch
from torch import Tensor

from ffzoo.parts.base import Build, Context, LocalLoss
from ffzoo.parts.contrastive import supervised_contrast
from ffzoo_contrastive_ff import options


class MarginSupCon(LocalLoss):
    """L of both views' embeddings ``(B, D)``; the options are :class:`ffzoo_contrastive_ff.options.MarginSupCon`."""

    accepts = ("embedding",)
    views = 2
    second = 1
    batch_level = True

    def __init__(self, config: options.MarginSupCon, build: Build) -> None:
        super().__init__(config, build)
        way = build.block / max(1, build.depth - 1)
        self.margin = (1 - way) * config.first + way * config.last
        self.temperature = config.temperature

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """Supervised contrast of the 2 B embeddings."""
        assert ctx.y is not None
        return supervised_contrast(torch.cat(scores), ctx.y.repeat(2), self.temperature, self.margin)
