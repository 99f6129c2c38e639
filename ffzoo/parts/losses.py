"""Local losses: scores -> scalar, the mean over the batch."""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor

from ffzoo.parts import options
from ffzoo.parts.base import Build, Context, LocalLoss


class CrossEntropy(LocalLoss):
    """L = -log softmax(z)_y of class scores z ``(B, K)``, with the training's label smoothing."""

    accepts = ("class",)

    def __init__(self, config: None, build: Build) -> None:
        super().__init__(config, build)
        self.label_smoothing = build.label_smoothing

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """Cross-entropy of the positive view."""
        assert ctx.y is not None
        return F.cross_entropy(scores[0], ctx.y, label_smoothing=self.label_smoothing)


class Logistic(LocalLoss):
    """L = mean of softplus(s (theta - G+)) and softplus(s (G- - theta)): a sample is real or not.

    Hinton 2022, arXiv:2212.13345: p(positive) = sigmoid(G - theta) with G the sum of squares.
    """

    accepts = ("sample",)
    views = 2

    def __init__(self, config: options.Logistic, build: Build) -> None:
        super().__init__(config, build)
        self.threshold = config.threshold
        self.scale = float(math.prod(build.shape)) if config.scale == "dim" else config.scale

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """Mean over the views of the logistic loss at their signs."""
        losses = [
            F.softplus(-sign * self.scale * (score - self.threshold)).mean()
            for sign, score in zip(ctx.signs, scores, strict=True)
        ]
        return sum(losses[1:], losses[0]) / len(losses)
