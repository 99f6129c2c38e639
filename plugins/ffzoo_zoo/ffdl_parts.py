"""The torch code of :mod:`ffzoo_zoo.ffdl`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ffzoo.plugin import LabelEmbedding
from ffzoo_zoo import ffdl


class LabelProjections(LabelEmbedding):
    """A learned projection of the label, which is added to what each block reads.

    For block l::

        block 1 reads   x + P_1 onehot(y)                     P_1: (K, C, H, W) or (K, D)
        block l reads   norm(h_(l-1)) + P_l onehot(y)         P_l: (K, C), the same at every position, or (K, D)

    The neutral label adds the mean over the classes.

    Attributes:
        projections: P_l of each block, which trains it.
    """

    per_block = True

    def __init__(self, config: ffdl.LabelProjections, num_classes: int) -> None:
        super().__init__(config, num_classes)
        self.scale = config.scale

    def attach(
        self, input_shape: tuple[int, ...], shapes: Sequence[tuple[int, ...]], generator: torch.Generator
    ) -> None:
        """Draw the projections from N(0, scale^2)."""
        sizes = [input_shape, *(shape[:1] for shape in shapes[:-1])]
        self.projections = nn.ParameterList(
            self.scale * torch.randn(self.num_classes, *size, generator=generator) for size in sizes
        )

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """Return what the first block reads, shaped like ``x``."""
        return self.inject(0, x, y)

    def inject(self, block: int, u: Tensor, y: Tensor | None) -> Tensor:
        """Return ``u`` plus the block's vector of each label, shaped like ``u``."""
        vectors = self.projections[block]
        chosen = vectors.mean(0, keepdim=True) if y is None else vectors[y]
        return u + chosen.view(*chosen.shape, *[1] * (u.dim() - chosen.dim()))

    def owner(self, name: str) -> int:
        """Return the block whose projection it is."""
        return int(name.rpartition(".")[2])
