"""What rules with an output layer share: that layer, and fixed random matrices that carry K numbers to every block.

For block l with detached input and features h_l::

    z       = W^T pool(h_L) + b                      the output layer, trained by its own exact gradient
    p       = softmax(z)
    delta_l = B_l c                                  c (K,): the credit of a sample, which the rule chooses
    dW_l    = sum over the batch of (dh_l / dW_l)^T delta_l / B       through block l alone

B_l ``(d_l, K)`` is drawn once, uniformly from +-sqrt(6 / d_l), d_l the number of features of the block, and never
learns. No weight of a later block enters; what couples the blocks is c, where it is made of the output's error.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.algorithms.step import Step
from ffzoo.parts.projection import pool_grid


class OutputLayer(nn.Linear):
    """A linear layer on the pooled features of the last block; no block owns it.

    Args:
        shapes: features of each block.
        num_classes: K.
        grid: pooling windows per side, or ``"all"``.
        label_smoothing: of the targets.
    """

    def __init__(
        self, shapes: Sequence[tuple[int, ...]], num_classes: int, grid: int | str, label_smoothing: float
    ) -> None:
        super().__init__(pooled_width(shapes[-1], grid), num_classes)
        self.depth, self.grid, self.label_smoothing = len(shapes), grid, label_smoothing

    def forward(self, h: Tensor) -> Tensor:
        """Return z ``(B, K)`` of normalized features of the last block."""
        return super().forward(pool_grid(h, self.grid))

    def target(self, y: Tensor) -> Tensor:
        """Return labels ``(B,)`` as probabilities ``(B, K)``, smoothed where the training asks for it."""
        onehot = F.one_hot(y, self.out_features).to(self.weight.dtype)
        return onehot * (1 - self.label_smoothing) + self.label_smoothing / self.out_features

    def learn(self, h: Tensor, y: Tensor, step: Step) -> Tensor:
        """Add the layer's own gradient, and return p ``(B, K)`` without a graph.

        Args:
            h: normalized features of the last block, without a graph.
            y: labels ``(B,)``.
            step: loss and accuracy are noted as the last block's.
        """
        z = self(h)
        loss = F.cross_entropy(z, self.target(y))
        step.backward(loss)
        step.note(f"loss/{self.depth}", loss)
        step.note(f"accuracy/{self.depth}", (z.argmax(1) == y).float().mean())
        return z.detach().softmax(1)


class Feedback(nn.Module):
    """The matrices B_l, buffers ``(K, d_l)`` that are named by their block's number.

    Args:
        shapes: features of each block.
        num_classes: K.
    """

    def __init__(self, shapes: Sequence[tuple[int, ...]], num_classes: int) -> None:
        super().__init__()
        for l, shape in enumerate(shapes):
            self.register_buffer(str(l), feedback_matrix(num_classes, shape))

    def forward(self, l: int, credit: Tensor, h: Tensor) -> Tensor:
        """Return delta_l = B_l c, shaped like the features ``h`` of block l, for credits ``(B, K)``."""
        return (credit @ self.get_buffer(str(l))).view(h.shape)


def feedback_matrix(num_classes: int, shape: tuple[int, ...]) -> Tensor:
    """Return ``(K, d)``, uniform in +-sqrt(6 / d), for a thing of ``shape`` without the batch."""
    matrix = torch.empty(num_classes, torch.Size(shape).numel())
    return matrix.uniform_(-1, 1) * (6 / matrix.shape[1]) ** 0.5


def pooled_width(shape: tuple[int, ...], grid: int | str) -> int:
    """Return how many numbers pooling leaves of features of ``shape``."""
    return pool_grid(torch.zeros(1, *shape), grid).shape[1]
