"""The base of rules that replace the update: blocks cut apart, an optimizer for each, and the book-keeping of a step.

A subclass says what a block learns when the walk has reached it. Blocks are cut apart as the engine cuts them: the
gradient stops behind each, a parameter-free norm may stand in front of the next, and every block has its own optimizer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from ffzoo.algorithms.contract import Metrics, as_batch
from ffzoo.algorithms.making import forward_norm, make_part
from ffzoo.algorithms.optimizers import HEAD, BlockOptimizers
from ffzoo.algorithms.options import FitOptions
from ffzoo.algorithms.step import Step
from ffzoo.algorithms.stepping import SteppingAlgorithm
from ffzoo.algorithms.walk import BlockWalk
from ffzoo.backbones.base import Backbone, full_precision
from ffzoo.backbones.batchnorm import enough_values
from ffzoo.data.batch import Batch


class BlockwiseAlgorithm(SteppingAlgorithm):
    """Base of an algorithm whose blocks learn by a rule of its own.

    A subclass implements :meth:`learn`, and :meth:`scores` unless it has an output layer named ``output``. In a name
    such as ``readouts.2.weight`` the first number is the block that owns the tensor; parameters without a number are
    those of a head.

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
        return BlockOptimizers(blocks, heads, self.fit_options)

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
        """Prepare a step, once before :meth:`learn`: draw random numbers that must not depend on chunks."""

    def learn(self, chunk: Batch, step: Step) -> None:
        """Add up what a chunk of the batch teaches, and update the blocks when it is the last one.

        Args:
            chunk: the samples; the whole batch unless it was cut into chunks.
            step: teaches and updates blocks, and notes metrics.
        """
        raise NotImplementedError

    def train_step(self, batch: Batch | Tensor, y: Tensor | None = None) -> Metrics:
        """Take one step: :meth:`learn` of every chunk."""
        batch = as_batch(batch, y, self.num_classes)
        if not self.training:
            self.train()
        self.optimizers.set_rate(self.rate())
        self.begin(batch)
        metrics: Metrics = {}
        for step in self.chunks(batch, metrics, self.optimizers.step):
            index = None if batch.index is None else batch.index[step.rows]
            with enough_values(len(batch.y)):
                self.learn(dataclasses.replace(batch, x=batch.x[step.rows], y=batch.y[step.rows], index=index), step)
        self.optimizers.step(HEAD)
        self.step_count += 1
        return metrics

    def read_blocks(self, x: Tensor, read: Callable[[int, Tensor], None]) -> None:
        """Run the blocks one after the other, without a graph that reaches from one into another.

        Args:
            x: inputs, ``(B, *input_shape)``.
            read: called as ``read(l, h)`` with the features of block l, in full precision, before block l + 1 runs.
        """

        def visit(l: int, out: Any) -> bool:
            read(l, full_precision(self.backbone.features(l, out)))
            return True

        BlockWalk(self, self.norms)(x, visit)

    def block_features(self, x: Tensor) -> list[Tensor]:
        """Return the features of each block, each with the graph of its block alone."""
        found: list[Tensor] = []
        self.read_blocks(x, lambda l, h: found.append(h))
        return found

    # ---------------------------------------------------------------- inference

    @torch.no_grad()
    def features(self, x: Tensor) -> list[Tensor]:
        """See :meth:`ffzoo.Algorithm.features`."""
        with self.evaluating():
            return self.block_features(x)

    @torch.no_grad()
    def scores(self, x: Tensor) -> tuple[Tensor, list[Tensor | None] | None]:
        """Return the output layer's z ``(B, K)``; no block has scores of its own."""
        with self.evaluating():
            output = self.get_submodule("output")
            return output(self.norms[-1](self.features(x)[-1])), None
