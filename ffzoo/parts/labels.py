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

_COVERED = 0.2  # share of the inputs under a label from which that is said


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

    def __init__(self, config: options.Overlay | options.AutoLabel, num_classes: int) -> None:
        super().__init__(config, num_classes)
        self.value = config.value

    def attach(
        self, input_shape: tuple[int, ...], shapes: Sequence[tuple[int, ...]], generator: torch.Generator
    ) -> None:
        """Check that the label fits in.

        Raises:
            RecipeError: the first channel has less than K inputs.
        """
        room = math.prod(input_shape[1:]) if len(input_shape) > 1 else input_shape[0]
        if room < self.num_classes:
            raise RecipeError(
                f"label_embedding=overlay writes {self.num_classes} labels over {room} inputs of the first "
                "channel; expected at least as many inputs, or label_embedding=concat"
            )

    def notes(self, shape: tuple[int, ...]) -> tuple[str, ...]:
        """Say if few inputs are left beside the label."""
        inputs = math.prod(shape)
        if self.num_classes <= _COVERED * inputs:
            return ()
        return (
            f"label_embedding=overlay writes the label over {self.num_classes} of {inputs} inputs, which nothing reads "
            "any more; label_embedding=concat keeps them",
        )

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


class Waves(LabelEmbedding):
    """A fixed superposition of plane waves per class, added to the image, or to what every block reads.

    With wave vectors f of 0.05 to 0.45 cycles per pixel and phases phi drawn once for each of a class's waves::

        P_k(position) = scale sqrt(2 / W) sum over W waves of cos(2 pi f . position + phi)
        block 1 reads  x + P_y                         in every channel
        block l reads  norm(h_(l-1)) + a_(l,y) P_y     a_(l,y): N(0, 1) per channel; of vectors a_(l,y) alone

    A convolution sees the label wherever it looks. The neutral label is the mean over the classes. After Scodellaro et
    al. 2023, arXiv:2312.14924, whose labels enter the image alone.

    Attributes:
        pictures: P of each class, ``(K, H, W)``, at the largest size that a block reads; ``(K, D)`` for vectors.
    """

    pictures: Tensor

    def __init__(self, config: options.Waves, num_classes: int) -> None:
        super().__init__(config, num_classes)
        self.per_block = config.blocks == "all"
        self.scale, self.waves = config.scale, config.waves

    def attach(
        self, input_shape: tuple[int, ...], shapes: Sequence[tuple[int, ...]], generator: torch.Generator
    ) -> None:
        """Draw the waves, and each later block's weights of the channels."""
        later = shapes[:-1] if self.per_block else ()
        alike = [shape[1:] for shape in (input_shape, *later) if len(shape) == len(input_shape)]
        size = [max(sides) for sides in zip(*alike, strict=True)] if len(input_shape) > 1 else list(input_shape)
        self.register_buffer("pictures", self.scale * self._drawn(size, generator))
        for l, shape in enumerate(later, 1):
            self.register_buffer(f"weights{l}", torch.randn(self.num_classes, shape[0], generator=generator))

    def _drawn(self, size: Sequence[int], generator: torch.Generator) -> Tensor:
        """Return superpositions ``(K, *size)`` with a mean square of about 1."""
        shape = (self.num_classes, self.waves, *[1] * len(size))
        # Frequencies evenly on a logarithmic scale, directions evenly in all dimensions.
        frequency = 0.05 * 9 ** torch.rand(shape, generator=generator)
        phase = torch.rand(shape, generator=generator)
        direction = torch.randn(len(size), *shape, generator=generator)
        direction /= direction.norm(dim=0)
        grid = torch.meshgrid(*map(torch.arange, size), indexing="ij")
        way = sum(d * position for d, position in zip(direction, grid, strict=True))
        return (2 * math.pi * (frequency * way + phase)).cos().sum(1) * (2 / self.waves) ** 0.5

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """Return ``x`` plus its label's waves."""
        pictures = self.pictures if x.dim() == 2 else _cut(self.pictures, x)[:, None]
        return x + (pictures.mean(0) if y is None else pictures[y])

    def inject(self, block: int, u: Tensor, y: Tensor | None) -> Tensor:
        """Return ``u`` plus its label's waves, weighted by channel."""
        patterns = self.get_buffer(f"weights{block}")
        patterns = patterns.view(*patterns.shape, *[1] * (u.dim() - 2))
        if u.dim() > 2 and u.dim() == self.pictures.dim() + 1:
            patterns = patterns * _cut(self.pictures, u)[:, None]
        return u + (patterns.mean(0) if y is None else patterns[y])

    def owner(self, name: str) -> int:
        """Return the block whose weights they are; the pictures are the first block's."""
        return int(name.removeprefix("weights")) if name.startswith("weights") else 0


def _cut(pictures: Tensor, u: Tensor) -> Tensor:
    """Return pictures ``(K, ...)`` cut to the size of maps ``(B, C, ...)``: pooled ones are smaller."""
    return pictures[(slice(None), *(slice(side) for side in u.shape[2:]))]
