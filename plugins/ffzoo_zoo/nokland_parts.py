"""The torch code of :mod:`ffzoo_zoo.nokland`."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.plugin import Build, Context, Goodness, LocalLoss, full_precision, pool_grid
from ffzoo_zoo import nokland


class SimilarityConv(Goodness):
    """The embedding of a block's features, e = sd over positions of conv3x3(pool(h)); of flat ones, a linear layer.

    Attributes:
        weight: of the convolution ``(C, C, 3, 3)``, or of the linear layer ``(D, D)``; no bias, for S subtracts it.
    """

    kind = "embedding"
    reads_half = True

    def __init__(self, config: nokland.Similarity, build: Build) -> None:
        super().__init__(config, build)
        width, kernel = build.shape[0], (3, 3) if len(build.shape) == 3 else ()
        weight = torch.randn(width, width, *kernel, generator=build.generator)
        self.grid = config.grid
        self.weight = nn.Parameter(weight / weight[0].numel() ** 0.5)

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """Return e: ``(B, C, H, W) -> (B, C)``, ``(B, D) -> (B, D)``."""
        if h.dim() == 2:
            return F.linear(full_precision(h), self.weight)
        pooled = 0 < self.grid < min(h.shape[-2:])
        a = pool_grid(h, self.grid).unflatten(1, (-1, self.grid, self.grid)) if pooled else full_precision(h)
        e = F.conv2d(a, self.weight, padding=1).flatten(2)
        # A map of one position has no deviation.
        return (e.var(2, correction=0) + 1e-6).sqrt() if e.shape[2] > 1 else e[..., 0]


def similarity(e: Tensor) -> Tensor:
    """Return S ``(B, B)``: the cosine of each two embeddings ``(B, D)``, each less its own mean."""
    n = F.normalize(e - e.mean(1, keepdim=True), dim=1, eps=1e-8)
    return n @ n.T


class SimilarityMatching(LocalLoss):
    """L_sim = mean over i, j of (S(e) - S(onehot(y)))_ij^2, of embeddings e ``(B, D)``.

    Samples of one class should look alike to a block, those of two should not.
    """

    accepts = ("embedding",)
    batch_level = True

    def __init__(self, config: None, build: Build) -> None:
        super().__init__(config, build)
        self.num_classes = build.num_classes

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """Return the mean squared difference of the two similarity matrices."""
        (e,) = scores
        assert ctx.y is not None
        return F.mse_loss(similarity(e), similarity(F.one_hot(ctx.y, self.num_classes).to(e.dtype)))
