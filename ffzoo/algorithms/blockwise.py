"""What the algorithms that are a class of their own share: a walk over detached blocks, and the book-keeping of a step.

A subclass says what a block learns when the walk has reached it. Blocks are cut apart as the engine cuts them: the
gradient stops behind each, a parameter-free norm may stand in front of the next, and every block has its own optimizer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from ffzoo.algorithms.contract import Metrics, as_batch
from ffzoo.algorithms.making import forward_norm, make_part
from ffzoo.algorithms.optimizers import HEAD, BlockOptimizers
from ffzoo.algorithms.options import FitOptions
from ffzoo.algorithms.stepping import SteppingAlgorithm
from ffzoo.backbones.base import Backbone, full_precision
from ffzoo.data.batch import Batch

Learn = Callable[[], None]
"""What a block has to do to learn."""


@dataclass(frozen=True)
class MicroBatch(Batch):
    """A part of a batch.

    Attributes:
        start: its first row in the batch.
        share: of the batch's samples.
        last: no other part follows, so that blocks are updated.
    """

    start: int = 0
    share: float = 1.0
    last: bool = True


class BlockwiseAlgorithm(SteppingAlgorithm):
    """Base of an algorithm whose blocks learn by a rule of its own.

    A subclass implements :meth:`learn` and :meth:`ffzoo.Algorithm.scores`. In a name such as ``readouts.2.weight`` the
    first number is the block that owns the tensor; parameters without a number are those of a head.

    Args:
        backbone: the blocks.
        num_classes: K.
        config: the algorithm's options, with the field ``forward_norm``.
        fit: optimizer, learning rate and their schedule.

    Attributes:
        norms: ``norms[l]`` stands in front of block l, ``norms[depth]`` in front of what reads the last block.

    Raises:
        UnknownNameError: no such forward norm.
    """

    def __init__(self, backbone: Backbone, num_classes: int, config: Any, fit: FitOptions) -> None:
        super().__init__(backbone, num_classes, config, fit)
        name = forward_norm(config.forward_norm, backbone)
        norms = [make_part("normalizations", name, shape) for shape in backbone.feature_shapes]
        self.norms = nn.ModuleList([nn.Identity(), *norms])

    @cached_property
    def optimizers(self) -> BlockOptimizers:
        """See :class:`~ffzoo.algorithms.stepping.SteppingAlgorithm`; the owner of a parameter is told by its name."""
        named = [(self.owner(name), name, p) for name, p in self.named_parameters()]
        blocks = [[p for owner, _, p in named if owner == l] for l in range(self.backbone.depth)]
        heads = [p for owner, name, p in named if owner is None and not name.startswith("backbone.")]
        return BlockOptimizers(blocks, heads, self.fit)

    def owner(self, key: str) -> int | None:
        """See :meth:`ffzoo.Algorithm.owner`."""
        if key.startswith("optimizer."):
            return BlockOptimizers.owner(key)
        module, _, rest = key.partition(".")
        if module == "backbone":
            return self.backbone.owner(rest)
        number = rest.split(".")[0]
        return int(number) if number.isdigit() and int(number) < self.backbone.depth else None

    # ---------------------------------------------------------------- a step

    def begin(self, batch: Batch) -> None:
        """Called once a step before :meth:`learn`, for random numbers that must not depend on micro-batches."""

    def learn(self, part: MicroBatch, metrics: Metrics) -> None:
        """Add up what a part of the batch teaches, and update the blocks when it is the last one.

        Args:
            part: the samples; the whole batch unless it was cut into micro-batches.
            metrics: scalars of the whole batch, for :func:`ffzoo.algorithms.stepping.note`.
        """
        raise NotImplementedError

    def train_step(self, batch: Batch | Tensor, y: Tensor | None = None) -> Metrics:
        """One step: :meth:`learn` of every micro-batch."""
        batch = as_batch(batch, y)
        if not self.training:
            self.train()
        self.optimizers.set_rate(self.rate())
        self.begin(batch)
        metrics: Metrics = {}
        for part in self.parts(batch):
            self.learn(part, metrics)
        self.optimizers.step(HEAD)
        self.step_count += 1
        return metrics

    def parts(self, batch: Batch) -> Iterator[MicroBatch]:
        """The micro-batches of a batch, in order.

        Raises:
            OptionError: there are several, and they would learn something else than the batch.
        """
        size = len(batch.y)
        for rows in self.rows(size):
            x, y, index = batch.x[rows], batch.y[rows], None if batch.index is None else batch.index[rows]
            share, last = len(y) / size, rows.stop == size
            yield MicroBatch(x, y, index, batch.epoch, batch.generator, rows.start, share, last)

    def walk(self, x: Tensor, read: Callable[[int, Tensor], Learn | None]) -> None:
        """One pass in which no block's graph reaches into another.

        Args:
            x: inputs, ``(B, *input_shape)``.
            read: called as ``read(l, h)`` with the features of block l, in full precision. What it returns is done
                before block l + 1 runs; after the walk, where steps are not streaming.
        """
        later: list[Learn] = []

        def visit(l: int, out: Any) -> Any:
            with self.full_precision():
                learn = read(l, full_precision(self.backbone.features(l, out)))
                if learn is not None and self.execution.streaming:
                    learn()
                elif learn is not None:
                    later.append(learn)
            return self._pass_on(l, out)

        with self.autocast():
            self.backbone.walk(self.laid_out(x), visit)
        for learn in later:
            learn()

    def _pass_on(self, l: int, out: Any) -> Any:
        """What block l + 1 reads of block l's output."""
        if l == self.backbone.depth - 1:
            return out
        given = self.backbone.downsample(l + 1, pytree.tree_map(torch.detach, out))
        passed = pytree.tree_map(self.norms[l + 1], given)
        # Detached or not, memory is shared: an in-place operation at the start of the next block would change
        # features that were read.
        return pytree.tree_map(torch.clone, passed) if self.backbone.copies_at_cuts else passed

    # ---------------------------------------------------------------- inference

    @torch.no_grad()
    def features(self, x: Tensor) -> list[Tensor]:
        """See :meth:`ffzoo.Algorithm.features`."""
        found: list[Tensor] = []
        with self.evaluating():
            self.walk(x, lambda l, h: found.append(h))
        return found
