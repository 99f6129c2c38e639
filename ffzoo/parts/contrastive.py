"""Supervised contrastive learning in a block: samples of one class are drawn together, those of two pushed apart.

    e_i = W pool_grid(norm(h_i))                                  (B, D)
    s_ij = cosine of e_i and e_j
    L = mean over i of the mean over j != i with y_j = y_i of -log(e^(s_ij / tau) / sum over k != i of e^(s_ik / tau))

Khosla et al. 2020 (arXiv:2004.11362). An anchor that is alone in its class adds nothing, but counts in the mean.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.backbones.base import full_precision
from ffzoo.parts import options
from ffzoo.parts.base import Build, Context, Goodness, LocalLoss
from ffzoo.parts.projection import pool_grid
from ffzoo.registry.choices import find


class ProjectionHead(Goodness):
    """The embedding e of a block's features; the options are :class:`ffzoo.parts.options.ProjectionHead`.

    Attributes:
        norm: the normalization in front of the pooling.
        weight: W ``(d, D)``, learned; None where the pooled features themselves are the embedding.
    """

    kind = "embedding"

    def __init__(self, config: options.ProjectionHead, build: Build) -> None:
        super().__init__(config, build)
        entry, norm_config = find("normalizations", config.norm)
        self.norm: nn.Module = entry.load()(norm_config, build.shape)
        self.grid = config.grid
        channels, *sides = build.shape
        d = channels * (min(config.grid, *sides) ** 2 if sides else 1)
        weight = torch.randn(d, config.width, generator=build.generator) / d**0.5
        self.weight = nn.Parameter(weight) if config.width else None

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """Return ``(B, C, H, W)`` or ``(B, D)`` -> ``(B, width)``."""
        a = pool_grid(self.norm(full_precision(h)), self.grid)
        return a if self.weight is None else a @ self.weight


def supervised_contrast(e: Tensor, y: Tensor, temperature: float, margin: float = 0.0) -> Tensor:
    """L of embeddings.

    Args:
        e: ``(B, D)``, of any length.
        y: labels ``(B,)``.
        temperature: tau.
        margin: added to the cosine of two samples of one class, which stays at most 1: such a pair is content with a
            cosine of 1 - margin.
    """
    n = F.normalize(e, dim=1, eps=1e-8)
    cosine = n @ n.T
    itself = torch.eye(len(y), dtype=torch.bool, device=y.device)
    alike = (y[:, None] == y) & ~itself
    if margin:
        cosine = torch.where(alike, (cosine + margin).clamp(max=1.0), cosine)
    # A finite number, so that a batch of one has a loss of zero and not NaN.
    logits = (cosine / temperature).masked_fill(itself, torch.finfo(cosine.dtype).min)
    log_p = logits.log_softmax(1).masked_fill(~alike, 0.0)
    return -(log_p.sum(1) / alike.sum(1).clamp(min=1)).mean()


class SupCon(LocalLoss):
    """L of one view's embeddings ``(B, D)``; the options are :class:`ffzoo.parts.options.SupCon`."""

    accepts = ("embedding",)
    batch_level = True

    def __init__(self, config: options.SupCon, build: Build) -> None:
        super().__init__(config, build)
        self.temperature = config.temperature

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """Supervised contrast of the batch's samples."""
        assert ctx.y is not None
        return supervised_contrast(scores[0], ctx.y, self.temperature)
