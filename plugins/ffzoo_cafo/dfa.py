"""Cascaded forward with blocks trained by direct feedback alignment (Zhao et al. 2023, arXiv:2303.09728).

For block l with detached input and features h_l::

    z       = W^T pool(norm(h_L)) + b         the output layer of ffzoo_dfa, which only teaches
    delta_l = B_l (softmax(z) - onehot(y))    at h_l; B_l fixed and random
    v_l     = V_l^T pool(h_l) + c_l           the predictor of block l
    L_l     = CrossEntropy(v_l, y)            trains the predictor alone
    prediction: the sum over blocks of softmax(v_l)

Predictors send nothing back to their blocks; with frozen blocks the rule is the one of the released code, ``cafo``.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.algorithms.blockwise import MicroBatch
from ffzoo.algorithms.contract import Metrics
from ffzoo.algorithms.feedback import pooled_width
from ffzoo.algorithms.options import FitOptions
from ffzoo.algorithms.stepping import note
from ffzoo.backbones.base import Backbone
from ffzoo.parts.projection import pool_grid
from ffzoo_zoo.dfa_parts import DFA


class CaFoDFA(DFA):
    """A predictor on every block; see the module's text.

    The options are :class:`ffzoo.parts.options.OutputLayer`; ``grid`` is that of the predictors as well.

    Attributes:
        predictors: V_l and c_l.
    """

    fusion = "sum"

    def __init__(self, backbone: Backbone, num_classes: int, config: Any, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, config, fit)
        self.predictors = nn.ModuleList(
            nn.Linear(pooled_width(shape, config.grid), num_classes) for shape in backbone.feature_shapes
        )

    def predict_from(self, l: int, h: Tensor) -> Tensor:
        """v_l ``(B, K)`` of block l's features."""
        return self.predictors[l](pool_grid(h, self.config.grid))

    def read_out(self, l: int, h: Tensor, part: MicroBatch, metrics: Metrics) -> None:
        """Teach block l's predictor."""
        v = self.predict_from(l, h)
        loss = F.cross_entropy(v, self.target(part.y))
        (part.share * loss).backward()
        note(metrics, f"loss/{l + 1}", loss, part.share)
        note(metrics, f"accuracy/{l + 1}", (v.argmax(1) == part.y).float().mean(), part.share)

    def learn_output(self, h: Tensor, part: MicroBatch, metrics: Metrics) -> Tensor:
        """Teach the output layer, whose figures are nobody's."""
        return super().learn_output(h, part, {})

    @torch.no_grad()
    def scores(self, x: Tensor) -> tuple[Tensor, list[Tensor | None] | None]:
        """The sum of the predictors' probabilities ``(B, K)``, and those of each block."""
        with self.evaluating():
            blocks = [self.predict_from(l, h).softmax(1) for l, h in enumerate(self.features(x))]
        return torch.stack(blocks).sum(0), list(blocks)
