"""Options of the backbones that ship with the library; importing this module does not import torch."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge

from ffzoo.registry.options import options, require

Granularity = Literal["auto", "stage", "block"]
"""How a timm model is cut: by its feature stages, by its layer groups, or whichever works first."""


@options
class MLP:
    """Fully connected blocks of equal width.

    Attributes:
        width: units of every layer.
        depth: number of blocks.
        layers: layers of every block; backprop inside a block of several is no longer local to a layer.
    """

    width: Annotated[int, Ge(1)] = 500
    depth: Annotated[int, Ge(1)] = 3
    layers: Annotated[int, Ge(1)] = 1

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            OptionError: a value is not an integer of at least 1.
        """


@options
class CNN:
    """A plain VGG-like network: every block is one 3x3 convolution, or as many as ``layers`` says.

    The blocks form four groups of (nearly) equal length with ``width``, ``2 * width``,
    ``4 * width`` and ``4 * width`` channels; every group after the first starts with a 2x2 max-pool
    unless that would leave less than a 2x2 map.

    Attributes:
        width: channels of the first group.
        depth: number of blocks.
        layers: convolutions of every block; backprop inside a block of several is no longer local to a layer.
    """

    width: Annotated[int, Ge(1)] = 32
    depth: Annotated[int, Ge(1)] = 8
    layers: Annotated[int, Ge(1)] = 1

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            OptionError: a value is not an integer of at least 1.
        """


@options
class ResNet:
    """A residual network for small images, without normalization of its own.

    Block 0 is the stem convolution, every further block two 3x3 convolutions and a shortcut without
    parameters. The residual blocks form three groups with ``width``, ``2 * width`` and ``4 * width``
    channels; the second and third halve the map.

    Attributes:
        width: channels of the stem and of the first group.
        depth: number of blocks, the stem included.
    """

    width: Annotated[int, Ge(1)] = 32
    depth: Annotated[int, Ge(1)] = 4

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            OptionError: a value is not an integer of at least 1.
        """


@options
class WhitenedCNN:
    """A network for short trainings: a whitening stem, then 3x3 convolutions with batch normalization.

    A 2x2 max-pool follows the first, third, fifth, ... convolution unless that would leave less than a
    2x2 map.

    Attributes:
        widths: channels of each 3x3 convolution.
        convs_per_block: convolutions that form one block; the last block may have one less.
    """

    widths: tuple[int, ...] = (64, 64, 256, 256, 256, 256)
    convs_per_block: Literal[1, 2] = 1

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            OptionError: there is no width, one below 1, or ``convs_per_block`` is neither 1 nor 2.
        """
        require(bool(self.widths) and min(self.widths) >= 1, "widths", self.widths, "at least one, each at least 1")


@options
class Timm:
    """How a timm model becomes a backbone.

    Attributes:
        by: where to cut: ``"stage"`` after its feature stages, ``"block"`` before its layer groups,
            ``"auto"`` by stage and, where that fails, by block.
        pretrained: start from timm's published weights.
    """

    by: Granularity = "auto"
    pretrained: bool = False

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            OptionError: ``by`` is unknown or ``pretrained`` is not a truth value.
        """


@options
class Module:
    """How a module of one's own becomes a backbone.

    Attributes:
        by: names of modules to cut after; at the top-level children if empty. The module's own head is left out either
            way.
    """

    by: tuple[str, ...] = ()
