"""The versions of a batch that a step forwards together: positive, negative, and the neutral one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ffzoo.parts.base import LabelEmbedding, View


@dataclass(frozen=True)
class Views:
    """Views of the same samples, forwarded one behind the other as one batch.

    Attributes:
        each: the positive one first; the neutral one, which only a fusion of features reads, last.
        y: right labels of the samples ``(B,)``.
    """

    each: tuple[View, ...]
    y: Tensor

    def __len__(self) -> int:
        return len(self.each)

    def __iter__(self) -> Iterator[View]:
        return iter(self.each)

    @property
    def signs(self) -> tuple[int, ...]:
        """Signs of the views that losses compare."""
        return tuple(view.sign for view in self.each if view.sign)

    @property
    def labels(self) -> list[Tensor | None]:
        """Labels that each view shows; None for the neutral label."""
        return [view.y for view in self.each]

    def rows(self, rows: slice) -> Views:
        """Return the views of some of the samples."""
        return Views(tuple(view.rows(rows) for view in self.each), self.y[rows])

    def join(self, embedding: LabelEmbedding) -> Tensor:
        """Return all views with their labels as one batch ``(V B, ...)``."""
        embedded = [embedding(view.x, view.y) for view in self.each]
        return torch.cat(embedded) if len(embedded) > 1 else embedded[0]

    def split(self, h: Tensor) -> tuple[Tensor, ...]:
        """Return what belongs to each view of a tensor ``(V B, ...)``."""
        return h.chunk(len(self)) if len(self) > 1 else (h,)  # even one chunk costs a copy in backward

    @property
    def neutral(self) -> int:
        """Index of the view with the neutral label; where no label enters the input, the positive one is neutral."""
        return -1 if self.each[-1].sign == 0 else 0
