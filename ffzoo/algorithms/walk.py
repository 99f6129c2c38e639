"""One pass over the blocks of a network, and what lies between two blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from ffzoo.parts.base import LabelEmbedding

if TYPE_CHECKING:
    from ffzoo.algorithms.stepping import SteppingAlgorithm

Read = Callable[[int, Any], bool]
"""Called with a block's index and raw output, outside autocast; returns whether somebody keeps what it read."""


class BlockWalk:
    """A pass in which blocks run one after the other; training, prediction and every other rule walk like this.

    Behind block l its output is cut from the graph, brought to the size that block l + 1 reads, normalized, given a
    label where every block has one, and copied where block l + 1 might write into what was read.

    Args:
        algorithm: whose blocks run, and in which precision.
        norms: ``norms[l]`` stands in front of block l.
        cuts: whether the gradient stops behind a block in the step at hand; it does behind all by default.
        embedding: writes labels into the input of every block, if it is ``per_block``.
    """

    def __init__(
        self,
        algorithm: SteppingAlgorithm,
        norms: nn.ModuleList,
        cuts: Callable[[int], bool] = lambda l: True,
        embedding: LabelEmbedding | None = None,
    ) -> None:
        self.algorithm, self.norms, self.cuts = algorithm, norms, cuts
        self.embedding = embedding if embedding is not None and embedding.per_block else None

    def __call__(self, x: Tensor, read: Read, labels: Sequence[Tensor | None] = ()) -> None:
        """Run all blocks.

        Args:
            x: inputs ``(V B, *input_shape)``, of V views.
            read: sees each block's output as soon as it is there.
            labels: those of each view ``(B,)``; None is the neutral label.
        """

        def visit(l: int, out: Any) -> Any:
            with self.algorithm.full_precision():
                kept = read(l, out)
            return self.pass_on(l, out, labels, kept)

        with self.algorithm.autocast():
            self.algorithm.backbone.walk(self.algorithm.laid_out(x), visit)

    def pass_on(self, l: int, out: Any, labels: Sequence[Tensor | None] = (), kept: bool = True) -> Any:
        """Return what block l + 1 reads of block l's output.

        Args:
            l: index of the block, from 0.
            out: its output, of all views.
            labels: those of each view.
            kept: whether somebody keeps what was read of ``out``.
        """
        backbone = self.algorithm.backbone
        if l == backbone.depth - 1:
            return out
        given = pytree.tree_map(torch.detach, out) if self.cuts(l) else out
        passed = pytree.tree_map(self.norms[l + 1], backbone.downsample(l + 1, given))
        if self.embedding is not None:
            passed = pytree.tree_map(partial(self._labelled, self.embedding, l + 1, labels), passed)
        if kept and backbone.copies_at_cuts:
            # Passing on shares memory, detached or not: an in-place operation at the start of the next
            # block would change the features that were just read.
            passed = pytree.tree_map(torch.clone, passed)
        return passed

    @staticmethod
    def _labelled(embedding: LabelEmbedding, l: int, labels: Sequence[Tensor | None], u: Tensor) -> Tensor:
        views = zip(u.chunk(len(labels)), labels, strict=True)
        return torch.cat([embedding.inject(l, view, y) for view, y in views])
