"""Label embeddings: how a candidate label enters the input."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.errors import RecipeError
from ffzoo.parts import options
from ffzoo.parts.base import LabelEmbedding


class NoLabel(LabelEmbedding):
    """The input as it is."""

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """Return ``x`` unchanged."""
        return x


def _code(x: Tensor, y: Tensor | None, num_classes: int, value: float) -> Tensor:
    """Return ``(B, K)``: value at the label, 0 elsewhere; value / K everywhere for the neutral label."""
    if y is None:
        return x.new_full((x.shape[0], num_classes), value / num_classes)
    return F.one_hot(y, num_classes).to(x.dtype) * value


class Overlay(LabelEmbedding):
    """The label over the first K inputs, row by row from the top left of the first channel.

    Hinton 2022, arXiv:2212.13345, section 3.3: MNIST has a black border to write on.
    """

    def __init__(self, config: options.Overlay, num_classes: int) -> None:
        super().__init__(config, num_classes)
        self.value = config.value

    def input_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the same shape."""
        room = math.prod(shape[1:]) if len(shape) > 1 else shape[0]
        if room < self.num_classes:
            raise RecipeError(
                f"label_embedding=overlay writes {self.num_classes} labels over {room} inputs of the first "
                "channel; expected at least as many inputs, or label_embedding=concat"
            )
        return shape

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """Return a copy of ``x`` with its first K inputs replaced."""
        flat = x.flatten(1)
        code = _code(x, y, self.num_classes, self.value)
        return torch.cat([code, flat[:, self.num_classes :]], 1).view_as(x)


class Concat(LabelEmbedding):
    """The label as K further features, or K further constant channels of an image."""

    def __init__(self, config: options.Concat, num_classes: int) -> None:
        super().__init__(config, num_classes)
        self.value = config.value

    def input_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """K features or channels more."""
        return (shape[0] + self.num_classes, *shape[1:])

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """Return ``x`` with the label appended along dimension 1."""
        code = _code(x, y, self.num_classes, self.value)
        code = code.view(*code.shape, *[1] * (x.dim() - 2)).expand(-1, -1, *x.shape[2:])
        return torch.cat([x, code], 1)


class ClassPattern(LabelEmbedding):
    """A random pattern per class, added to the input or put beside it; the neutral label is the mean pattern.

    Lee and Song 2023 (SymBa), arXiv:2303.08418, call it the intrinsic class pattern; the further channel with learned
    patterns is that of Dooms et al. 2023 (Trifecta), arXiv:2311.18130.

    Attributes:
        patterns: N(0, scale^2), ``(K, C, H, W)``, ``(K, 1, H, W)`` in a channel, or ``(K, D)``.
    """

    patterns: Tensor

    def __init__(self, config: options.ClassPattern, num_classes: int) -> None:
        super().__init__(config, num_classes)
        self.place, self.scale, self.learned = config.place, config.scale, config.learned

    def input_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the same shape, or with a channel more, or with twice the features."""
        if self.place == "add":
            return shape
        return (shape[0] + 1, *shape[1:]) if len(shape) > 1 else (2 * shape[0],)

    def attach(
        self, input_shape: tuple[int, ...], shapes: Sequence[tuple[int, ...]], generator: torch.Generator
    ) -> None:
        """Draw the patterns."""
        shape = input_shape
        if self.place == "channel":
            shape = (1, *shape[1:]) if len(shape) > 1 else (shape[0] // 2,)
        patterns = self.scale * torch.randn(self.num_classes, *shape, generator=generator)
        if self.learned:
            self.patterns = nn.Parameter(patterns)
        else:
            self.register_buffer("patterns", patterns)

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """Return ``x`` plus its label's pattern, or both along dimension 1."""
        chosen = self.patterns.mean(0).expand(x.shape[0], *self.patterns.shape[1:]) if y is None else self.patterns[y]
        return x + chosen if self.place == "add" else torch.cat([x, chosen], 1)
