"""The torch code of :mod:`ffzoo_zoo.drtp`."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.plugin import Backbone, Batch, BlockwiseAlgorithm, Feedback, FitOptions, OutputLayer, Step
from ffzoo_zoo import drtp


class DRTP(BlockwiseAlgorithm):
    """Blocks that learn from the label alone.

    Attributes:
        output: W and b.
        feedback: the matrices B_l.
    """

    has_losses = False

    def __init__(self, backbone: Backbone, num_classes: int, config: drtp.DRTP, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, config, fit)
        self.squash = config.squash
        self.output = OutputLayer(backbone.feature_shapes, num_classes, config.grid, fit.label_smoothing)
        self.feedback = Feedback(backbone.feature_shapes, num_classes)
        if self.squash:
            self.norms = nn.ModuleList([nn.Identity(), *(nn.Sequential(nn.Tanh(), norm) for norm in self.norms[1:])])

    def learn(self, chunk: Batch, step: Step) -> None:
        """Send the target t to each block as soon as its features are there."""
        t = F.one_hot(chunk.y, self.num_classes).to(self.output.weight.dtype)
        last = chunk.x

        def read(l: int, h: Tensor) -> None:
            nonlocal last
            last = h.detach()
            delta = self.feedback(l, t, last)
            step.teach(l, h, delta * (1 - last.tanh().square()) if self.squash else delta)

        self.read_blocks(chunk.x, read)
        self.output.learn(self.norms[-1](last), chunk.y, step)
