"""One chunk of a training step: what it weighs, what is noted of it, and what becomes of its blocks' losses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ffzoo.algorithms.contract import Metrics
from ffzoo.data.batch import Batch


@dataclass
class Step:
    """A training step as the blocks see it, of a whole batch or of one chunk of it.

    Attributes:
        epoch: from 0.
        generator: the step's random numbers.
        rows: of the batch, in this chunk.
        share: of the batch's samples, in this chunk.
        last: whether no chunk follows, so that blocks are updated.
        metrics: scalars of the whole batch.
        update: updates a block's parameters; None where all blocks wait for the end of the walk.
        losses: of the blocks that wait.
    """

    epoch: int = 0
    generator: torch.Generator | None = None
    rows: slice = field(default_factory=lambda: slice(None))
    share: float = 1.0
    last: bool = True
    metrics: Metrics = field(default_factory=dict)
    update: Callable[[int], None] | None = None
    losses: dict[int, Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, batch: Batch) -> Step:
        """Return a step over a whole batch that updates nothing."""
        return cls(batch.epoch, batch.generator)

    def note(self, key: str, value: Tensor) -> None:
        """Add a chunk's mean, by its share, to that of the batch."""
        value = value.detach() if self.share == 1 else self.share * value.detach()
        self.metrics[key] = self.metrics[key] + value if key in self.metrics else value

    def learn(self, block: int, loss: Tensor) -> None:
        """Backpropagate a block's loss and, with the last chunk, update the block; or keep the loss for later."""
        if self.update is None:
            self.losses[block] = loss
            return
        self.backward(loss)
        if self.last:
            self.update(block)

    def teach(self, block: int, h: Tensor, delta: Tensor) -> None:
        """Give a block its credit in place of a loss's gradient, and with the last chunk update the block.

        Args:
            block: index of the block, from 0.
            h: its features, with the graph of the block.
            delta: the credit of each sample, shaped like h.
        """
        if h.requires_grad:
            h.backward(delta * (self.share / len(h)))
        if self.last and self.update is not None:
            self.update(block)

    def backward(self, loss: Tensor) -> None:
        """Backpropagate a loss by the chunk's share; there may be nothing to train in what is left as it is."""
        if loss.requires_grad:
            (self.share * loss).backward()

    def finish(self, head: Tensor | None) -> None:
        """Backpropagate what waited for the end of the walk, and the loss of the head, in one pass."""
        waited = [*self.losses.values(), *([] if head is None else [head])]
        if waited:
            self.backward(torch.stack(waited).sum())
