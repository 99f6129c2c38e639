"""Label embeddings: how a candidate label enters the input."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ffzoo.errors import RecipeError
from ffzoo.parts import options
from ffzoo.parts.base import LabelEmbedding


class NoLabel(LabelEmbedding):
    """The input as it is."""

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """``x`` unchanged."""
        return x


def _code(x: Tensor, y: Tensor | None, num_classes: int, value: float) -> Tensor:
    """``(B, K)``: value at the label, 0 elsewhere; value / K everywhere for the neutral label."""
    if y is None:
        return x.new_full((len(x), num_classes), value / num_classes)
    return F.one_hot(y, num_classes).to(x.dtype) * value


class Overlay(LabelEmbedding):
    """The label over the first K inputs, row by row from the top left of the first channel.

    Hinton 2022, arXiv:2212.13345, section 3.3: MNIST has a black border to write on.
    """

    def __init__(self, config: options.Overlay, num_classes: int) -> None:
        super().__init__(config, num_classes)
        self.value = config.value

    def input_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The same shape."""
        room = math.prod(shape[1:]) if len(shape) > 1 else shape[0]
        if room < self.num_classes:
            raise RecipeError(
                f"label_embedding=overlay writes {self.num_classes} labels over {room} inputs of the first "
                "channel; expected at least as many inputs, or label_embedding=concat"
            )
        return shape

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """A copy of ``x`` with its first K inputs replaced."""
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
        """``x`` with the label appended along dimension 1."""
        code = _code(x, y, self.num_classes, self.value)
        code = code.view(*code.shape, *[1] * (x.dim() - 2)).expand(-1, -1, *x.shape[2:])
        return torch.cat([x, code], 1)
