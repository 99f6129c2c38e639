"""The torch code of :mod:`ffzoo_zoo.f3`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ffzoo.plugin import (
    Backbone,
    Batch,
    BlockwiseAlgorithm,
    Feedback,
    FitOptions,
    OptionError,
    OutputLayer,
    OutputOptions,
    Samples,
    Step,
)


class F3(BlockwiseAlgorithm):
    """Blocks that learn from the error of the epoch before.

    Attributes:
        output: W and b.
        feedback: the matrices B_l.
        memory: p of every training sample when it was seen last ``(N, K)``; part of the training state.
    """

    has_losses = False
    coupling = "feedback"
    memory: Tensor

    def __init__(self, backbone: Backbone, num_classes: int, config: OutputOptions, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, config, fit)
        self.output = OutputLayer(backbone.feature_shapes, num_classes, config.grid, fit.label_smoothing)
        self.feedback = Feedback(backbone.feature_shapes, num_classes)
        self.register_buffer("memory", torch.zeros(0, num_classes), persistent=False)  # prediction does not read it

    def start(self, train: Samples, epochs: int) -> None:
        """Make room for every training sample."""
        super().start(train, epochs)
        self.memory = self.memory.new_zeros(len(train), self.num_classes)

    def begin(self, batch: Batch) -> None:
        """Make room for the batch, where training did not begin with :meth:`start`.

        Raises:
            OptionError: the batch does not say which samples it holds.
        """
        if batch.index is None:
            raise OptionError("f3 keeps an error per sample, but the batch has no index; expected Batch(x, y, index)")
        if not self.total_steps:
            missing = max(0, int(batch.index.max()) + 1 - len(self.memory))
            self.memory = torch.cat([self.memory, self.memory.new_zeros(missing, self.num_classes)])

    def learn(self, chunk: Batch, step: Step) -> None:
        """Send the error of the epoch before to each block, then remember what the output says now."""
        e = self.memory[chunk.index] - self.output.target(chunk.y)
        last = chunk.x

        def read(l: int, h: Tensor) -> None:
            nonlocal last
            last = h.detach()
            step.teach(l, h, self.feedback(l, e, h))

        self.read_blocks(chunk.x, read)
        self.memory[chunk.index] = self.output.learn(self.norms[-1](last), chunk.y, step)

    @torch.no_grad()
    def scores(self, x: Tensor) -> tuple[Tensor, list[Tensor | None] | None]:
        """Return z ``(B, K)``; no block has scores of its own."""
        with self.evaluating():
            return self.output(self.norms[-1](self.features(x)[-1])), None

    def training_state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return the optimizers' state and the memory."""
        tensors, values = super().training_state()
        return tensors | {"memory": self.memory}, values

    def load_training_state(self, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
        """Restore the optimizers' state and the memory."""
        super().load_training_state(tensors, values)
        self.memory = tensors["memory"].to(self.memory, copy=True)
