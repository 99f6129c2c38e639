"""The torch code of :mod:`ffzoo_zoo.contrastive_ff`."""

from __future__ import annotations

import torch
from torch import Tensor

from ffzoo.plugin import Build, Context, LocalLoss, Negatives, random_crop, random_flip, supervised_contrast
from ffzoo_zoo import contrastive_ff


class SecondView(Negatives):
    """The sample moved, mirrored and with noise.

    A vector has no neighbours to be moved over: it gets the noise alone.
    """

    sign = 1

    def __init__(self, config: contrastive_ff.SecondView, num_classes: int) -> None:
        super().__init__(config, num_classes)
        self.config = config

    def forward(self, x: Tensor, y: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Return inputs like ``x`` and the same labels."""
        draws = generator or torch.default_generator
        if x.dim() == 4:
            x = random_crop(x, min(self.config.shift, *(side - 1 for side in x.shape[-2:])), draws)
            x = random_flip(x, draws) if self.config.flip else x
        noise = torch.randn(x.shape, generator=draws, device=draws.device, dtype=x.dtype)
        return x + self.config.noise * noise.to(x.device), y


class MarginSupCon(LocalLoss):
    """Supervised contrast of both views' embeddings ``(B, D)``, with the block's own margin."""

    accepts = ("embedding",)
    views = 2
    second = 1
    batch_level = True

    def __init__(self, config: contrastive_ff.MarginSupCon, build: Build) -> None:
        super().__init__(config, build)
        way = build.block / max(1, build.depth - 1)
        self.margin = (1 - way) * config.first + way * config.last
        self.temperature = config.temperature

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """Return the loss of the 2 B embeddings."""
        assert ctx.y is not None
        return supervised_contrast(torch.cat(scores), ctx.y.repeat(2), self.temperature, self.margin)
