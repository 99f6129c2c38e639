"""Rules that learn from the output: its layer, and fixed random matrices that carry K numbers a sample to every block.

For block l with detached input and features h_l::

    z       = W^T pool(norm(h_L)) + b                the output layer, trained by its own exact gradient
    p       = softmax(z)
    delta_l = B_l c                                  c (K,): the credit of a sample, which the rule chooses
    dW_l    = sum over the batch of (dh_l / dW_l)^T delta_l / B       through block l alone

B_l ``(d_l, K)`` is drawn once, uniformly from +-sqrt(6 / d_l), d_l the number of features of the block, and never
learns. No weight of a later block enters; what couples the blocks is c, where it is made of the output's error.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.algorithms.blockwise import BlockwiseAlgorithm, Learn, MicroBatch
from ffzoo.algorithms.contract import Metrics
from ffzoo.algorithms.options import FitOptions
from ffzoo.algorithms.stepping import note
from ffzoo.backbones.base import Backbone
from ffzoo.parts.projection import pool_grid


class OutputAlgorithm(BlockwiseAlgorithm):
    """Base of the rules with a linear output layer on the last block.

    Args:
        backbone: the blocks.
        num_classes: K.
        config: options with the fields of :class:`ffzoo.parts.options.OutputLayer`.
        fit: optimizer, learning rate and their schedule.

    Attributes:
        output: the output layer; no block's.
    """

    has_losses = False

    def __init__(self, backbone: Backbone, num_classes: int, config: Any, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, config, fit)
        self.output = nn.Linear(pooled_width(backbone.feature_shapes[-1], config.grid), num_classes)

    def logits(self, h: Tensor) -> Tensor:
        """Output z ``(B, K)`` for features of the last block."""
        return self.output(pool_grid(self.norms[-1](h), self.config.grid))

    def target(self, y: Tensor) -> Tensor:
        """Labels ``(B,)`` as probabilities ``(B, K)``, smoothed where the training asks for it."""
        smoothing = self.fit.label_smoothing
        onehot = F.one_hot(y, self.num_classes).to(self.output.weight.dtype)
        return onehot * (1 - smoothing) + smoothing / self.num_classes

    def learn_output(self, h: Tensor, part: MicroBatch, metrics: Metrics) -> Tensor:
        """Add the output layer's gradient, and return p ``(B, K)`` without a graph.

        Args:
            h: features of the last block, without a graph.
            part: the samples.
            metrics: loss and accuracy are noted as the last block's.
        """
        z = self.logits(h)
        loss = F.cross_entropy(z, self.target(part.y))
        (part.share * loss).backward()
        note(metrics, f"loss/{self.backbone.depth}", loss, part.share)
        note(metrics, f"accuracy/{self.backbone.depth}", (z.argmax(1) == part.y).float().mean(), part.share)
        return z.detach().softmax(1)

    @torch.no_grad()
    def scores(self, x: Tensor) -> tuple[Tensor, list[Tensor | None] | None]:
        """The output layer's logits ``(B, K)``; no block has scores of its own."""
        with self.evaluating():
            return self.logits(self.features(x)[-1]), None


class FeedbackAlgorithm(OutputAlgorithm):
    """Base of the rules with fixed feedback matrices; see the module's text.

    A subclass implements :meth:`credit`.

    Args:
        backbone: the blocks.
        num_classes: K.
        config: options with the fields of :class:`ffzoo.parts.options.OutputLayer`.
        fit: optimizer, learning rate and their schedule.

    Attributes:
        feedback: the matrices, buffers ``(K, d_l)`` by the block's number.
    """

    waits: ClassVar[bool] = False  # True: the credit is made of this step's output, so that no block learns before it

    def __init__(self, backbone: Backbone, num_classes: int, config: Any, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, config, fit)
        self.feedback = nn.Module()
        for l, shape in enumerate(backbone.feature_shapes):
            self.feedback.register_buffer(str(l), feedback_matrix(num_classes, shape))

    def credit(self, part: MicroBatch, p: Tensor | None) -> Tensor:
        """What the matrices carry to every block: c ``(B, K)``.

        Args:
            part: the samples.
            p: this step's output probabilities ``(B, K)``; None for a rule that does not wait for them.
        """
        raise NotImplementedError

    def delta(self, l: int, h: Tensor, credit: Tensor) -> Tensor:
        """delta_l, shaped like the features h of block l."""
        return (credit @ self.feedback.get_buffer(str(l))).view(h.shape)

    def read_out(self, l: int, h: Tensor, part: MicroBatch, metrics: Metrics) -> None:
        """For rules that read more than the last block: sees every block's features h, without a graph."""

    def remember(self, part: MicroBatch, p: Tensor) -> None:
        """For rules that keep something of the output probabilities p ``(B, K)``."""

    def learn(self, part: MicroBatch, metrics: Metrics) -> None:
        """Teach the blocks inside the walk, or behind it where the credit has to be waited for."""
        early = None if self.waits else self.credit(part, None)
        waiting: list[Callable[[Tensor], None]] = []
        last: list[Tensor] = []

        def read(l: int, h: Tensor) -> Learn | None:
            self.read_out(l, h.detach(), part, metrics)
            if l == self.backbone.depth - 1:
                last.append(h.detach())
            if early is not None:
                return partial(self._teach, part, l, h, early)
            waiting.append(partial(self._teach, part, l, h))
            return None

        self.walk(part.x, read)
        p = self.learn_output(last[0], part, metrics)
        if waiting:
            late = self.credit(part, p)
            for teach in waiting:
                teach(late)
        self.remember(part, p)

    def _teach(self, part: MicroBatch, l: int, h: Tensor, credit: Tensor) -> None:
        if h.requires_grad:
            h.backward(self.delta(l, h.detach(), credit) * (part.share / len(h)))
        if part.last:
            self.optimizers.step(l)


def feedback_matrix(num_classes: int, shape: tuple[int, ...]) -> Tensor:
    """``(K, d)``, uniform in +-sqrt(6 / d), for a thing of ``shape`` without the batch."""
    matrix = torch.empty(num_classes, torch.Size(shape).numel())
    return matrix.uniform_(-1, 1) * (6 / matrix.shape[1]) ** 0.5


def pooled_width(shape: tuple[int, ...], grid: int | str) -> int:
    """Numbers that pooling features of ``shape`` on a grid leaves."""
    return pool_grid(torch.zeros(1, *shape), grid).shape[1]
