"""What a part is: the interfaces of goodness, local loss, negatives, label embedding and fusion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from ffzoo.backbones.base import Backbone

if TYPE_CHECKING:
    from ffzoo.data.batch import Samples

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
        shapes: features of every block; when empty, every block's are like this one's.
        shared: what the blocks of one algorithm build together, by name: the first block that needs a thing puts it
            there. Modules in it belong to no block and are trained like a head.
    """

    shape: tuple[int, ...]
    num_classes: int
    block: int
    depth: int
    generator: torch.Generator
    label_smoothing: float = 0.0
    shapes: tuple[tuple[int, ...], ...] = ()
    shared: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.shapes:
            object.__setattr__(self, "shapes", (self.shape,) * self.depth)


@dataclass(frozen=True)
class View:
    """One version of the input that is forwarded in a step; sign 0 is read by the fusion alone.

    Attributes:
        x: inputs, without a label.
        y: the labels to embed; None for the neutral one.
        sign: +1 positive, -1 negative.
    """

    x: Tensor
    y: Tensor | None
    sign: int

    def rows(self, part: slice) -> View:
        """Return some of its samples."""
        return View(self.x[part], None if self.y is None else self.y[part], self.sign)


@dataclass(frozen=True)
class Context:
    """What a goodness or a loss may know beyond its input, and no more than that.

    Attributes:
        y: labels ``(B,)``, int64.
        signs: one per view: +1 positive, -1 negative.
        block: index of the block, from 0.
        depth: number of blocks.
        epoch: from 0.
        training: False in ``predict``.
        generator: the step's random numbers.
        x: what the network was given, of the first view; only for parts that require ``"input"``.
        others: for each view the sum of the other blocks' scores, without a graph; only for parts that require
            ``"others"``.
    """

    y: Tensor | None
    signs: tuple[int, ...]
    block: int
    depth: int
    epoch: int
    training: bool
    generator: torch.Generator | None
    x: Tensor | None = None
    others: tuple[Tensor, ...] = ()


class Goodness(nn.Module):
    """Features of a block -> score; may own parameters and buffers, which belong to its block.

    Args:
        config: the options, or None when it has none.
        build: shapes and random numbers.
    """

    kind: ClassVar[ScoreKind] = "sample"
    batch_level: ClassVar[bool] = False  # True: a sample's score depends on the rest of its batch
    coupling: ClassVar[str] = "none"
    requires: ClassVar[tuple[str, ...]] = ()  # fields of the context that are filled on demand: "input", "others"
    reads_output: ClassVar[bool] = False  # True: forward gets the block's raw output, not its features
    reads_half: ClassVar[bool] = False  # True: forward takes half-precision features; its score is float32 all the same
    closed_form: ClassVar[bool] = False  # True: scored and pull_back are there; a subclass must say so again

    def __init__(self, config: Any, build: Build) -> None:
        super().__init__()

    def attach(self, backbone: Backbone) -> None:
        """Attach to the network once all blocks exist; for what needs more of it than its shapes."""

    def prepare(self, train: Samples) -> None:
        """Prepare before the first step, from the training set without augmentation."""

    def readings(self) -> dict[str, float]:
        """Return what of its state is worth a line per epoch, such as a learned temperature."""
        return {}

    def forward(self, h: Tensor, ctx: Context) -> Tensor:
        """Score the features ``h`` ``(B, C, H, W)`` or ``(B, D)``; the shape is that of ``kind``."""
        raise NotImplementedError

    def scored(self, h: Tensor, ctx: Context) -> tuple[Tensor, Any]:
        """Return the closed form's forward: the score, and what :meth:`pull_back` needs beside ``h``.

        ``h`` may be half precision; the score is not.
        """
        raise NotImplementedError

    def pull_back(self, h: Tensor, kept: Any, d_score: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the closed form's backward, without autograd.

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
        """Return ``function(h)``, ``(B,)``."""
        return self.function(h)


class LocalLoss(nn.Module):
    """Scores of a block's views -> scalar, the mean over the batch.

    Args:
        config: the options, or None when it has none.
        build: shapes and random numbers.
    """

    accepts: ClassVar[tuple[ScoreKind, ...]] = ("sample",)
    views: ClassVar[int] = 1  # how many views it compares
    second: ClassVar[int] = -1  # sign of the second view: -1 negative, +1 another positive
    batch_level: ClassVar[bool] = False  # True: not a mean of per-sample losses
    coupling: ClassVar[str] = "none"
    requires: ClassVar[tuple[str, ...]] = ()  # as a goodness's
    closed_form: ClassVar[bool] = False  # True: gradient is there; a subclass must say so again

    def __init__(self, config: Any, build: Build) -> None:
        super().__init__()

    def prepare(self, train: Samples) -> None:
        """Prepare before the first step, from the training set without augmentation."""

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """Map one score per view, rows aligned, to a scalar."""
        raise NotImplementedError

    def gradient(self, scores: tuple[Tensor, ...], ctx: Context) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the loss and its gradient at each score, without autograd."""
        raise NotImplementedError


class LabelEmbedding(nn.Module):
    """How a candidate label enters the input.

    Args:
        config: the options, or None when it has none.
        num_classes: K.
    """

    per_block: ClassVar[bool] = False  # True: inject writes the label into every later block's input too

    def __init__(self, config: Any, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes

    def input_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape the backbone sees for data of ``shape``.

        Raises:
            RecipeError: the label does not fit into such an input.
        """
        return shape

    def attach(
        self, input_shape: tuple[int, ...], shapes: Sequence[tuple[int, ...]], generator: torch.Generator
    ) -> None:
        """Prepare before the first use, for embeddings that need shapes or random numbers.

        Args:
            input_shape: what :meth:`input_shape` returned.
            shapes: features of every block.
            generator: source of random numbers.
        """

    def forward(self, x: Tensor, y: Tensor | None) -> Tensor:
        """Return ``x`` with the labels ``y`` ``(B,)`` written in; None writes the neutral label."""
        raise NotImplementedError

    def inject(self, block: int, u: Tensor, y: Tensor | None) -> Tensor:
        """Return what a block after the first reads, with the labels written in; for embeddings that are ``per_block``.

        Args:
            block: index of the block that reads it, at least 1.
            u: normalized features of the block before.
            y: labels ``(B,)``; None for the neutral label.
        """
        raise NotImplementedError

    def owner(self, name: str) -> int:
        """Return the block that trains a parameter or buffer; the first, unless overridden.

        Args:
            name: the tensor's name in :meth:`state_dict`.
        """
        return 0


class Negatives(nn.Module):
    """Generator of negative samples, or of a second view of another kind.

    Args:
        config: the options, or None when it has none.
        num_classes: K.
    """

    wrong_labels: ClassVar[bool] = False  # True: a negative is a wrong label, so labels must enter the input
    sign: ClassVar[int] = -1  # +1: what it makes is another positive view
    coupling: ClassVar[str] = "none"
    reads_prediction: ClassVar[bool] = False  # True: forward gets the algorithm's prediction as its last argument

    def __init__(self, config: Any, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes

    def positive(self, x: Tensor) -> Tensor:
        """Return the positive view of inputs ``x``, in training and in prediction."""
        return x

    def forward(self, x: Tensor, y: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Return inputs ``x`` and labels ``(B,)`` -> those of as many negative samples.

        Where ``reads_prediction`` a fourth argument holds the present prediction ``(B, K)``, without a graph.
        """
        raise NotImplementedError


class Schedule:
    """Which blocks train when.

    Args:
        config: the options, or None when it has none.
        depth: number of blocks.
    """

    def __init__(self, config: Any, depth: int) -> None:
        self.depth = depth

    def window(self, block: int) -> tuple[float, float]:
        """When a block trains, as a part of the training: from (included) and to, in [0, 1]."""
        return 0.0, 1.0


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
    fits: ClassVar[bool] = False  # True: fit is called after training
    coupling: ClassVar[str] = "none"

    def __init__(self, config: Any, build: FusionBuild) -> None:
        super().__init__()

    @property
    def fitted(self) -> bool:
        """Whether it can predict; one that ``fits`` tells it from its buffers, which a checkpoint restores."""
        return True

    def feature(self, block: int, h: Tensor) -> Tensor | None:
        """Return the fusion path: what is kept of a block's features ``h``, ``(B, d)``; None skips the block."""
        raise NotImplementedError

    def forward(self, blocks: Sequence[Tensor]) -> Tensor:
        """Return scores ``(B, K)`` of each block, or what :meth:`feature` kept -> ``(B, K)``."""
        raise NotImplementedError

    def loss(self, blocks: Sequence[Tensor], y: Tensor) -> Tensor | None:
        """Return the fusion's own training loss; None when it has nothing to train."""
        return None

    def calibrate(self, scores: Sequence[Tensor], y: Tensor) -> None:
        """Choose settings on validation scores ``(B, K)`` of each block and labels ``(B,)``."""

    def fit(self, blocks: Sequence[Tensor], y: Tensor) -> None:
        """Train on the whole training set, after the blocks.

        Args:
            blocks: what :meth:`feature` kept of each block.
            y: labels ``(N,)``.
        """
