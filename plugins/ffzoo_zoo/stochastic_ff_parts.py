"""The torch code of :mod:`ffzoo_zoo.stochastic_ff`."""

from __future__ import annotations

import torch
from torch import Tensor

from ffzoo.plugin import Build, Context, Goodness, LocalLoss, Negatives, full_precision
from ffzoo_zoo import stochastic_ff


class Responses(Goodness):
    """The features, flat: ``(B, C, H, W)`` or ``(B, D)`` -> ``(B, C * H * W)`` or ``(B, D)``."""

    kind = "embedding"

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """Return ``(B, C * H * W)`` or ``(B, D)``."""
        return full_precision(h).flatten(1)


class NoisyCopy(Negatives):
    """The sample with dropped inputs."""

    sign = 1

    def __init__(self, config: stochastic_ff.NoisyCopy, num_classes: int) -> None:
        super().__init__(config, num_classes)
        self.drop = config.drop

    def forward(self, x: Tensor, y: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Return inputs like ``x`` and the same labels."""
        draws = generator or torch.default_generator
        kept = torch.rand(x.shape, generator=draws, device=draws.device, dtype=x.dtype) >= self.drop
        return x * kept.to(x) / (1 - self.drop), y


class Dimensionality(LocalLoss):
    """w ED within the copies - v ED of the batch; the positions of a map are observations too."""

    accepts = ("embedding",)
    views, second = 2, 1
    batch_level = True

    def __init__(self, config: stochastic_ff.Dimensionality, build: Build) -> None:
        super().__init__(config, build)
        self.within, self.between = config.within, config.between
        self.channels = build.shape[0]

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """Return the loss of the responses ``(B, C * P)`` of samples and of their noisy copies."""
        clean, noisy = (score.unflatten(1, (self.channels, -1)) for score in scores)
        copies = torch.cat([clean, noisy], 2)  # (B, C, 2 P)
        samples = ((clean + noisy) / 2).transpose(0, 1).flatten(1)  # (C, B P)
        return self.within * effective_dimensionality(copies).mean() - self.between * effective_dimensionality(samples)


def effective_dimensionality(x: Tensor) -> Tensor:
    """Return ED of responses ``(..., C, M)``, ``(...)``: 1 when all lie on a line, at most the smaller of C and M."""
    channels, observations = x.shape[-2:]
    # X X^T and X^T X have the same trace and the same sum of squares
    second = (x @ x.mT if channels <= observations else x.mT @ x) / max(1, observations - 1)
    return second.diagonal(dim1=-2, dim2=-1).sum(-1).square() / (second.square().sum((-2, -1)) + 1e-6)
