"""What a part is: the interfaces of goodness, local loss, negatives, label embedding and fusion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from ffzoo.backbones.base import Backbone

ScoreKind = Literal["sample", "class", "map", "embedding", "reconstruction"]
"""What a score is: ``(B,)``, ``(B, K)``, ``(B, P)``, ``(B, D)``, or shaped like the input."""


@dataclass(frozen=True)
class Build:
    """What a part of a block is built from.

    Attributes:
        shape: the block's features without the batch, ``(C, H, W)`` or ``(D,)``.
        num_classes: K.
        block: index of the block, from 0.
        depth: number of blocks.
        generator: source of frozen random numbers.
        label_smoothing: of the training, for losses on class scores.
    """

    shape: tuple[int, ...]
    num_classes: int
    block: int
    depth: int
    generator: torch.Generator
    label_smoothing: float = 0.0


@dataclass(frozen=True)
class Context:
    """What a goodness or a loss may know beyond its input, and no more than that.

    Attributes:
        y: labels ``(B,)``, int64.
        signs: one a view: +1 positive, -1 negative.
        block: index of the block, from 0.
        depth: number of blocks.
        epoch: from 0.
        training: False in ``predict``.
        generator: the step's random numbers.
    """

    y: Tensor | None
    signs: tuple[int, ...]
    block: int
    depth: int
    epoch: int
    training: bool
    generator: torch.Generator | None


class Goodness(nn.Module):
    """Features of a block -> score; may own parameters and buffers, which belong to its block.

    Args:
        config: the options, or None when it has none.
        build: shapes and random numbers.
    """

    kind: ClassVar[ScoreKind] = "sample"
    batch_level: ClassVar[bool] = False  # True: a sample's score depends on the rest of its batch
    coupling: ClassVar[str] = "none"
    reads_output: ClassVar[bool] = False  # True: forward gets the block's raw output, not its features
    reads_half: ClassVar[bool] = False  # True: forward takes half-precision features; its score is float32 all the same
    closed_form: ClassVar[bool] = False  # True: scored and pull_back are there; a subclass must say so again

    def __init__(self, config: Any, build: Build) -> None:
        super().__init__()

    def attach(self, backbone: Backbone) -> None:
        """Called once on a goodness that reads raw outputs."""

    def forward(self, h: Tensor, ctx: Context) -> Tensor:
        """Score the features ``h`` ``(B, C, H, W)`` or ``(B, D)``; the shape is that of ``kind``."""
        raise NotImplementedError

    def scored(self, h: Tensor, ctx: Context) -> tuple[Tensor, Any]:
        """The closed form's forward: the score, and what :meth:`pull_back` needs beside ``h``.

        ``h`` may be half precision; the score is not.
        """
        raise NotImplementedError

    def pull_back(self, h: Tensor, kept: Any, d_score: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The closed form's backward, without autograd.

        Args:
            h: features that left a ReLU.
            kept: what :meth:`scored` returned beside the score.
            d_score: dL/dscore, shaped like the score.

        Returns:
            The gradient at the ReLU's input, shaped and laid out like h, and that of the goodness's own parameters by
            name.
        """
        raise NotImplementedError


class FunctionGoodness(Goodness):
    """A plain function ``h -> (B,)`` as a sample goodness."""

    def __init__(self, function: Callable[[Tensor], Tensor], build: Build) -> None:
        super().__init__(None, build)
        self.function = function

    def forward(self, h: Tensor, ctx: Context) -> Tensor:
        """``function(h)``, ``(B,)``."""
        return self.function(h)


class LocalLoss(nn.Module):
    """Scores of a block's views -> scalar, the mean over the batch.

    Args:
        config: the options, or None when it has none.
        build: shapes and random numbers.
    """

    accepts: ClassVar[tuple[ScoreKind, ...]] = ("sample",)
    views: ClassVar[int] = 1  # how many views it compares: 1 positive, 2 positive and negative
    batch_level: ClassVar[bool] = False  # True: not a mean of per-sample losses
    coupling: ClassVar[str] = "none"
    closed_form: ClassVar[bool] = False  # True: gradient is there; a subclass must say so again

    def __init__(self, config: Any, build: Build) -> None:
        super().__init__()

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """One score a view, rows aligned -> scalar."""
        raise NotImplementedError

    def gradient(self, scores: tuple[Tensor, ...], ctx: Context) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The loss and its gradient at each score, without autograd."""
        raise NotImplementedError


class LabelEmbedding(nn.Module):
    """How a candidate label enters the input.

    Args:
        config: the options, or None when it has none.
        num_classes: K.
    """

    def __init__(self, config: Any, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes

    def input_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape the backbone sees for data of ``shape``.

        Raises:
            RecipeError: the label does not fit into such an input.
        """
        return shape

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """``x`` with the labels ``y`` ``(B,)`` written in; None writes the neutral label."""
        raise NotImplementedError


class Negatives(nn.Module):
    """Generator of negative samples.

    Args:
        config: the options, or None when it has none.
        num_classes: K.
    """

    wrong_labels: ClassVar[bool] = False  # True: a negative is a wrong label, so labels must enter the input

    def __init__(self, config: Any, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes

    def forward(self, x: Tensor, y: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Inputs ``x`` and labels ``(B,)`` -> those of as many negative samples."""
        raise NotImplementedError


@dataclass(frozen=True)
class FusionBuild:
    """What a fusion is built from.

    Attributes:
        shapes: feature shape of each block, ``(C, H, W)`` or ``(D,)``.
        num_classes: K.
        kind: kind of the blocks' scores, or None when no block scores classes.
        scored: number of blocks that score classes.
    """

    shapes: tuple[tuple[int, ...], ...]
    num_classes: int
    kind: ScoreKind | None
    scored: int


class Fusion(nn.Module):
    """Per-block scores or features -> prediction ``(B, K)``.

    Args:
        config: the options, or None when it has none.
        build: the blocks' shapes.
    """

    reads: ClassVar[Literal["scores", "features"]] = "scores"
    calibrates: ClassVar[bool] = False  # True: it chooses something on the validation part
    coupling: ClassVar[str] = "none"

    def __init__(self, config: Any, build: FusionBuild) -> None:
        super().__init__()

    def feature(self, block: int, h: Tensor) -> Tensor | None:
        """The fusion path: what is kept of a block's features ``h``, ``(B, d)``; None skips the block."""
        raise NotImplementedError

    def forward(self, blocks: Sequence[Tensor]) -> Tensor:
        """Scores ``(B, K)`` of each block, or what :meth:`feature` kept -> ``(B, K)``."""
        raise NotImplementedError

    def loss(self, blocks: Sequence[Tensor], y: Tensor) -> Tensor | None:
        """The fusion's own training loss; None when it has nothing to train."""
        return None

    def calibrate(self, scores: Sequence[Tensor], y: Tensor) -> None:
        """Choose settings on validation scores ``(B, K)`` of each block and labels ``(B,)``."""
