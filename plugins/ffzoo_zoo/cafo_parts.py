"""The torch code of :mod:`ffzoo_zoo.cafo`."""

from __future__ import annotations

import dataclasses

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.plugin import (
    Backbone,
    Batch,
    BlockwiseAlgorithm,
    Feedback,
    FitOptions,
    OutputLayer,
    OutputOptions,
    Step,
    pool_grid,
    pooled_width,
)


class CaFoDFA(BlockwiseAlgorithm):
    """A predictor on every block, and blocks that learn by direct feedback alignment.

    For block l with detached input and features h_l::

        z       = W^T pool(norm(h_L)) + b         the output layer of dfa, which only teaches
        delta_l = B_l (softmax(z) - onehot(y))    at h_l; B_l fixed and random
        v_l     = V_l^T pool(h_l) + c_l           the predictor of block l
        L_l     = CrossEntropy(v_l, y)            trains the predictor alone
        prediction: the sum over blocks of softmax(v_l)

    With frozen blocks the rule is the one of the released code, ``cafo``. The option ``grid`` is that of the
    predictors as well.

    Attributes:
        output: W and b.
        feedback: the matrices B_l.
        predictors: V_l and c_l.
    """

    has_losses = False
    coupling = "feedback"
    fusion = "sum"

    def __init__(self, backbone: Backbone, num_classes: int, config: OutputOptions, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, config, fit)
        shapes, self.grid = backbone.feature_shapes, config.grid
        self.output = OutputLayer(shapes, num_classes, self.grid, fit.label_smoothing)
        self.feedback = Feedback(shapes, num_classes)
        self.predictors = nn.ModuleList(nn.Linear(pooled_width(shape, self.grid), num_classes) for shape in shapes)

    def predict_from(self, l: int, h: Tensor) -> Tensor:
        """Return v_l ``(B, K)`` of block l's features."""
        return self.predictors[l](pool_grid(h, self.grid))

    def learn(self, chunk: Batch, step: Step) -> None:
        """Teach each block's predictor, then send the output's error to every block."""
        h: list[Tensor] = []

        def read(l: int, h_l: Tensor) -> None:
            h.append(h_l)
            v = self.predict_from(l, h_l.detach())
            loss = F.cross_entropy(v, self.output.target(chunk.y))
            step.backward(loss)
            step.note(f"loss/{l + 1}", loss)
            step.note(f"accuracy/{l + 1}", (v.argmax(1) == chunk.y).float().mean())

        self.read_blocks(chunk.x, read)
        unnoted = dataclasses.replace(step, metrics={})  # the output layer's figures are nobody's
        p = self.output.learn(self.norms[-1](h[-1].detach()), chunk.y, unnoted)
        e = p - self.output.target(chunk.y)
        for l, h_l in enumerate(h):
            step.teach(l, h_l, self.feedback(l, e, h_l))

    @torch.no_grad()
    def scores(self, x: Tensor) -> tuple[Tensor, list[Tensor | None] | None]:
        """Return the sum of the predictors' probabilities ``(B, K)``, and those of each block."""
        with self.evaluating():
            blocks = [self.predict_from(l, h).softmax(1) for l, h in enumerate(self.features(x))]
        return torch.stack(blocks).sum(0), list(blocks)
