"""The torch code of :mod:`ffzoo_zoo.f3`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ffzoo.plugin import Backbone, Batch, FeedbackAlgorithm, FitOptions, MicroBatch, OptionError, Samples


class F3(FeedbackAlgorithm):
    """Blocks that learn from the error of the epoch before.

    Attributes:
        memory: p of every training sample when it was seen last ``(N, K)``; part of the training state.
    """

    coupling = "feedback"
    memory: Tensor

    def __init__(self, backbone: Backbone, num_classes: int, config: Any, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, config, fit)
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

    def credit(self, part: MicroBatch, p: Tensor | None) -> Tensor:
        """Return the error e ``(B, K)`` of the epoch before."""
        return self.memory[part.index] - self.target(part.y)

    def remember(self, part: MicroBatch, p: Tensor) -> None:
        """Keep p for the next epoch."""
        self.memory[part.index] = p

    def training_state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return the state of training, the memory included."""
        tensors, values = super().training_state()
        return tensors | {"memory": self.memory}, values

    def load_training_state(self, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
        """Load the state of training, the memory included."""
        super().load_training_state(tensors, values)
        self.memory = tensors["memory"].to(self.memory, copy=True)
