"""Local losses: scores -> scalar, the mean over the batch."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ffzoo.parts import options
from ffzoo.parts.base import Build, Context, LocalLoss


class CrossEntropy(LocalLoss):
    """L = -log softmax(z)_y of class scores z ``(B, K)``, with the training's label smoothing."""

    accepts = ("class",)
    closed_form = True

    def __init__(self, config: None, build: Build) -> None:
        super().__init__(config, build)
        self.label_smoothing = build.label_smoothing

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """Cross-entropy of the positive view."""
        assert ctx.y is not None
        return F.cross_entropy(scores[0], ctx.y, label_smoothing=self.label_smoothing)

    def gradient(self, scores: tuple[Tensor, ...], ctx: Context) -> tuple[Tensor, tuple[Tensor, ...]]:
        """dL/dz = (softmax(z) - target) / B, the target smoothed as the loss's."""
        assert ctx.y is not None
        log_p = F.log_softmax(scores[0], 1)
        value = F.nll_loss(log_p, ctx.y)
        if self.label_smoothing:
            value = (1 - self.label_smoothing) * value - self.label_smoothing * log_p.mean()
        d = log_p.exp_()
        if self.label_smoothing:
            d -= self.label_smoothing / d.shape[1]
        d.scatter_add_(1, ctx.y[:, None], d.new_full((len(d), 1), self.label_smoothing - 1))
        return value, (d.div_(len(d)),)


class NPairMargin(LocalLoss):
    """L = log(1 + sum over k != y of exp(m + g_k - g_y)): the right class is to score higher than all others.

    Sohn 2016 ("Improved Deep Metric Learning with Multi-class N-pair Loss Objective", NIPS), with a margin m. It is a
    smooth bound of the largest m + g_k - g_y above 0, and the cross-entropy of the scores with m added to the wrong
    ones; as there the training may smooth the labels.
    """

    accepts = ("class",)

    def __init__(self, config: options.NPairMargin, build: Build) -> None:
        super().__init__(config, build)
        self.margin, self.label_smoothing = config.margin, build.label_smoothing

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """Return the mean over the positive view's class scores ``(B, K)``."""
        assert ctx.y is not None
        margins = self.margin * (1 - F.one_hot(ctx.y, scores[0].shape[1]))
        return F.cross_entropy(scores[0] + margins, ctx.y, label_smoothing=self.label_smoothing)


class Logistic(LocalLoss):
    """L = mean of softplus(s (theta - G+)) and softplus(s (G- - theta)): a sample is real or not.

    Hinton 2022, arXiv:2212.13345: p(positive) = sigmoid(G - theta) with G the sum of squares.
    """

    accepts = ("sample",)
    views = 2
    closed_form = True

    def __init__(self, config: options.Logistic, build: Build) -> None:
        super().__init__(config, build)
        self.threshold = config.threshold
        self.scale = float(math.prod(build.shape)) if config.scale == "dim" else config.scale

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """Return the mean over the views of the logistic loss at their signs."""
        losses = [
            F.softplus(-sign * self.scale * (score - self.threshold)).mean()
            for sign, score in zip(ctx.signs, scores, strict=True)
        ]
        return sum(losses[1:], losses[0]) / len(losses)

    def gradient(self, scores: tuple[Tensor, ...], ctx: Context) -> tuple[Tensor, tuple[Tensor, ...]]:
        """dL/dG = -+ s sigmoid(s (theta -+ G)) / (views B)."""
        gradients = [
            torch.sigmoid(-sign * self.scale * (score - self.threshold))
            * (-sign * self.scale / (len(scores) * len(score)))
            for sign, score in zip(ctx.signs, scores, strict=True)
        ]
        return self(scores, ctx), tuple(gradients)


class SymmetricSoftplus(LocalLoss):
    """L = mean of softplus(-alpha (G+ - G-)): a sample is to score higher than the negative made of it.

    Lee and Song 2023 (SymBa), arXiv:2303.08418: there is no threshold, and the gradients at G+ and G- are equal and
    opposite.
    """

    accepts = ("sample",)
    views = 2
    closed_form = True

    def __init__(self, config: options.SymmetricSoftplus, build: Build) -> None:
        super().__init__(config, build)
        self.alpha = config.alpha

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """Return the mean over pairs of a positive and a negative view."""
        positive, negative = scores
        return F.softplus(-self.alpha * (positive - negative)).mean()

    def gradient(self, scores: tuple[Tensor, ...], ctx: Context) -> tuple[Tensor, tuple[Tensor, ...]]:
        """dL/dG+ = -alpha sigmoid(-alpha (G+ - G-)) / B = -dL/dG-."""
        positive, negative = scores
        d = torch.sigmoid(-self.alpha * (positive - negative)) * (-self.alpha / len(positive))
        return self(scores, ctx), (d, -d)
