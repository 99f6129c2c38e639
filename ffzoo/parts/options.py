"""Options of the core's parts, torch-free so that the command line can check them at once."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Interval

from ffzoo.registry.options import options, require


@options
class Projection:
    """The class goodness ``z = reduce((a P + b) / T)``, ``a = pool_grid(h ** power)``.

    Attributes:
        power: 1 reads the features, 2 their energies.
        grid: pooling windows per side, clipped to the map; ``"all"`` keeps every position, ``"pyramid"`` takes
            as many as the last block has times this block's channels, rounded.
        max_features: the grid is made coarser until the pooled vector has at most this many numbers; 0 for no bound.
        pool: mean or sum inside a window.
        l2: divide by the Euclidean norm: not at all, over channels at each position before pooling,
            or over the pooled vector.
        projection: the matrix P: frozen random N(0, 1/d), frozen orthogonal, learned, the mean over one channel
            group per class, frozen waves of one frequency per class, or frozen label embeddings N(0, 1), one table for
            all blocks that is averaged to each block's width.
        wave: the form of waves: sin(f_k j) for the j-th feature, f_k evenly from 50 to 512, or its sign.
        mix: P times a learned factor per class, or times a learned K x K matrix; both start from N(0, 0.01^2).
        unit: the columns of P are divided by their norms.
        bias: none, frozen random N(0, 1), or learned (from 0).
        prototypes: columns of P a class, reduced by logsumexp.
        temperature: ``"learned"`` (one scalar between ``t_min`` and ``t_max``) or a constant.
        t_min: lower end of a learned temperature.
        t_max: upper end of a learned temperature.
        clamp: logits are clamped to +-clamp; 0 for no clamp.
    """

    power: Literal[1, 2] = 2
    grid: int | Literal["all", "pyramid"] = 4
    max_features: Annotated[int, Ge(0)] = 0
    pool: Literal["mean", "sum"] = "mean"
    l2: Literal["none", "position", "pooled"] = "none"
    projection: Literal["random", "orthogonal", "learned", "groups", "waves", "embeddings"] = "random"
    wave: Literal["square", "sine"] = "square"
    mix: Literal["none", "scale", "matrix"] = "none"
    unit: bool = False
    bias: Literal["none", "frozen", "learned"] = "none"
    prototypes: Annotated[int, Ge(1)] = 1
    temperature: Annotated[float, Gt(0)] | Literal["learned"] = "learned"
    t_min: float = 0.1
    t_max: float = 2.0
    clamp: Annotated[float, Ge(0)] = 0.0

    def __post_init__(self) -> None:
        whole = isinstance(self.grid, str) or self.grid >= 1
        require(whole, "grid", self.grid, "at least 1, 'all' or 'pyramid'")
        require(0 < self.t_min < self.t_max, "t_min", self.t_min, f"between 0 and t_max = {self.t_max}")
        one = self.projection not in ("groups", "waves") and self.mix == "none"
        require(one or self.prototypes == 1, "prototypes", self.prototypes, "1 with groups, waves or a mix")


@options
class Logistic:
    """Logistic loss of sample scores against a threshold.

    Attributes:
        threshold: the score at which a sample counts as positive with probability one half.
        scale: factor of the score less its threshold; ``"dim"`` is the number of features, which turns
            the mean of squares into Hinton's sum against a threshold of ``threshold * dim``.
    """

    threshold: float = 1.0
    scale: Annotated[float, Gt(0)] | Literal["dim"] = 1.0


@options
class Overlay:
    """The label written over the first K inputs.

    Attributes:
        value: what a chosen label's input is set to; the others are set to 0. A neutral label sets
            all K to ``value / K``.
    """

    value: float = 1.0

    def __post_init__(self) -> None:
        require(self.value != 0, "value", self.value, "anything but 0")


@options
class Waves:
    """A superposition of plane waves per class, all over the image.

    Attributes:
        blocks: whose inputs the waves are added to: the first block's, or those of all blocks, each channel behind the
            first block with a weight of its own per class.
        scale: root mean square of a pattern.
        waves: number of plane waves per class.
    """

    blocks: Literal["first", "all"] = "all"
    scale: Annotated[float, Gt(0)] = 1.0
    waves: Annotated[int, Ge(1)] = 3


@options
class AutoLabel:
    """Waves in every block where blocks pass on maps, the label over the first K inputs everywhere else.

    Attributes:
        value: of the overlay, see its own.
        scale: of the waves, see their own.
    """

    value: float = 1.0
    scale: Annotated[float, Gt(0)] = 1.0

    def __post_init__(self) -> None:
        require(self.value != 0, "value", self.value, "anything but 0")

    def chosen(self, maps: bool) -> Overlay | Waves:
        """Return what it stands for on a backbone whose blocks pass on maps or not."""
        return Waves(scale=self.scale) if maps else Overlay(value=self.value)


@options
class Concat:
    """The label as K further inputs (features) or channels (images).

    Attributes:
        value: what a chosen label's input is set to.
    """

    value: float = 1.0

    def __post_init__(self) -> None:
        require(self.value != 0, "value", self.value, "anything but 0")


@options
class HybridImages:
    """Negatives m * a + (1 - m) * b of two images, m a blurred random mask.

    Attributes:
        blurs: how often the mask is blurred by [1/4, 1/2, 1/4] before it is thresholded at 1/2.
    """

    blurs: Annotated[int, Ge(0)] = 6


@options
class Windows:
    """Blocks that begin together and end one after the other.

    Attributes:
        first: share of the training after which the first block stops; the last one stops at its end.
    """

    first: Annotated[float, Interval(gt=0, le=1)] = 0.44


@options
class Sum:
    """The sum of the blocks' scores.

    Attributes:
        first: index of the first block that counts, from 0.
        of: what is summed of class scores z: log softmax(z), softmax(z), or z itself; sample scores are summed as
            they are.
    """

    first: Annotated[int, Ge(0)] = 0
    of: Literal["log_softmax", "softmax", "score"] = "log_softmax"


@options
class ConcatLinear:
    """A linear softmax on the concatenated, normalized features of the blocks.

    Attributes:
        first: index of the first block that counts, from 0.
        grid: pooling windows per side on the fusion path; 1 is global average pooling.
        lr: learning rate of the head, which has its own optimizer.
    """

    first: Annotated[int, Ge(0)] = 0
    grid: Annotated[int, Ge(1)] = 1
    lr: Annotated[float, Gt(0)] = 1e-2


@options
class Probe:
    """A linear softmax on the blocks' features, fitted after training.

    Attributes:
        first: index of the first block that counts, from 0.
        grid: pooling windows per side; 1 is global average pooling.
        l2: weight of the squared norm of the matrix beside the mean cross-entropy.
    """

    first: Annotated[int, Ge(0)] = 0
    grid: Annotated[int, Ge(1)] = 1
    l2: Annotated[float, Ge(0)] = 1e-4


@options
class OutputOptions:
    """A linear output layer on the last block, for algorithms that are a class of their own.

    Attributes:
        forward_norm: name of the normalization of what a block, or the output layer, reads of the block before;
            ``"auto"`` is ``layernorm`` between native blocks and ``none`` in a model that brings norms of its own.
        grid: pooling windows per side to which maps are averaged for the output layer; ``"all"`` keeps every position.
    """

    forward_norm: str = "auto"
    grid: Annotated[int, Ge(1)] | Literal["all"] = 4


@options
class SymmetricSoftplus:
    """Softplus of how far a positive sample's score is below its negative's.

    Attributes:
        alpha: factor of the difference.
    """

    alpha: Annotated[float, Gt(0)] = 4.0


@options
class NPairMargin:
    """How far the right class's score is above every other one.

    Attributes:
        margin: that it is to be above them.
    """

    margin: Annotated[float, Ge(0)] = 1.0


@options
class ClassPattern:
    """A pattern per class, of the input's shape.

    Attributes:
        place: add the pattern to the input, or put one beside it: a further channel of an image, as many further
            inputs as there are features.
        scale: standard deviation of the pattern's numbers, at the start if they are learned.
        learned: the patterns are trained with the first block; else they stay as they were drawn.
    """

    place: Literal["add", "channel"] = "add"
    scale: Annotated[float, Gt(0)] = 1.0
    learned: bool = False


@options
class ProjectionHead:
    """An embedding of a block's features, for losses that compare samples.

    Attributes:
        width: numbers of the embedding; 0 for the pooled features themselves.
        grid: pooling windows per side, clipped to the map; 1 is global average pooling.
        norm: name of a normalization in front of the pooling.
    """

    width: Annotated[int, Ge(0)] = 128
    grid: Annotated[int, Ge(1)] = 1
    norm: str = "none"


@options
class SupCon:
    """Supervised contrast.

    Attributes:
        temperature: of the softmax over cosines.
    """

    temperature: Annotated[float, Gt(0)] = 0.1


@options
class GroupNorm:
    """Mean 0 and variance 1 over each group of channels.

    Attributes:
        groups: number of groups; the largest number up to it that divides the channels is taken.
    """

    groups: Annotated[int, Ge(1)] = 10
