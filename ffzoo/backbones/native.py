"""The library's own backbones: chains of blocks without normalization on the goodness path."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.backbones.base import Backbone, Visit, as_written
from ffzoo.backbones.options import CNN, MLP, ResNet
from ffzoo.errors import OptionError

_BLOCK_KEY = re.compile(r"blocks\.(\d+)\.")


class SequentialBackbone(Backbone):
    """A chain of blocks: block ``l + 1`` reads what the visitor made of block ``l``'s output.

    Args:
        name: what messages and tables call it.
        input_shape: shape of one input, without the batch.
        blocks: the blocks, at least one; each maps one tensor to one tensor. They must not change their
            input in place.
        feature_shapes: shape of each block's output, without the batch.

    Raises:
        OptionError: there is no block, or not one shape for each.
    """

    def __init__(
        self,
        name: str,
        input_shape: Sequence[int],
        blocks: Sequence[nn.Module],
        feature_shapes: Sequence[tuple[int, ...]],
    ) -> None:
        super().__init__()
        if not blocks or len(blocks) != len(feature_shapes):
            raise OptionError(
                f"backbone {name!r} got {len(blocks)} blocks and {len(feature_shapes)} feature shapes; "
                "expected at least one block and a shape for each"
            )
        self.name = name
        self.input_shape = tuple(input_shape)
        self.feature_shapes = tuple(feature_shapes)
        self.blocks = nn.ModuleList(blocks)

    def walk(self, x: Tensor, visit: Visit) -> None:
        """Run the blocks in order; see :meth:`Backbone.walk`."""
        for l, block in enumerate(self.blocks):
            x = block(x)  # the visitor may drop the block's input: it must not live on here
            x = visit(l, x)

    @property
    def closed_form(self) -> bool:
        """Whether the blocks are those of this module, as they were built, and nobody overrides how they are run."""
        own = ("walk", "features", "block", "weight_gradients")
        return all(getattr(type(self), name) is getattr(SequentialBackbone, name) for name in own) and all(
            isinstance(block, ReLULayer) and block.plain for block in self.blocks
        )

    def block(self, l: int, x: Tensor) -> Tensor:
        """See :meth:`Backbone.block`."""
        return cast(Tensor, self.blocks[l](x))

    def weight_gradients(self, l: int, x: Tensor, d: Tensor) -> list[Tensor]:
        """See :meth:`Backbone.weight_gradients`."""
        return cast(ReLULayer, self.blocks[l]).weight_gradients(x, d)

    def owner(self, name: str) -> int | None:
        """Block index of ``blocks.<l>....``, None for any other name."""
        found = _BLOCK_KEY.match(name)
        return int(found[1]) if found else None

    def features(self, l: int, out: Any) -> Tensor:
        """Return the output itself: ``(B, C, H, W)`` or ``(B, D)``."""
        return cast(Tensor, out)

    def checkpoint_units(self, l: int) -> list[nn.Module]:
        """Block ``l`` itself."""
        return [self.blocks[l]]


def _initialize(layer: nn.Linear | nn.Conv2d, generator: torch.Generator | None, gain: float = 1.0) -> None:
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
    with torch.no_grad():
        layer.weight.mul_(gain)
        if layer.bias is not None:
            layer.bias.zero_()


def _linear(inputs: int, outputs: int, generator: torch.Generator | None) -> nn.Linear:
    # By way of the meta device: a layer's default initialization would draw from the global generator.
    layer = nn.Linear(inputs, outputs, device="meta").to_empty(device=torch.get_default_device())
    _initialize(layer, generator)
    return layer


def _conv(
    inputs: int, outputs: int, generator: torch.Generator | None, *, stride: int = 1, gain: float = 1.0
) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, device="meta").to_empty(
        device=torch.get_default_device()
    )
    _initialize(layer, generator, gain)
    return layer


def _image_shape(name: str, input_shape: Sequence[int]) -> tuple[int, int, int]:
    if len(input_shape) != 3 or min(input_shape) < 1:
        raise OptionError(f"backbone {name!r} got inputs of shape {tuple(input_shape)}; expected (C, H, W)")
    channels, height, width = input_shape
    return channels, height, width


class ReLULayer(nn.Module):
    """A block whose weight gradient is one call: ``relu(layer(x))``."""

    @property
    def layer(self) -> nn.Linear | nn.Conv2d:
        """The layer with the weights."""
        raise NotImplementedError

    @property
    def plain(self) -> bool:
        """Whether the block and its layer compute what this module wrote down, hooks on parameters included."""
        layer = self.layer
        return (
            type(self) in (LinearBlock, ConvBlock)
            and type(layer) in (nn.Linear, nn.Conv2d)
            and getattr(layer, "padding_mode", "zeros") == "zeros"
            and layer.bias is not None
            and as_written(self)
            and as_written(layer)
        )

    def weight_gradients(self, x: Tensor, d: Tensor) -> list[Tensor]:
        """Return the gradients of weight and bias, given that at the ReLU's input."""
        raise NotImplementedError


class LinearBlock(ReLULayer):
    """``relu(linear(flatten(x)))``: ``(B, ...) -> (B, D)``."""

    def __init__(self, inputs: int, outputs: int, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.linear = _linear(inputs, outputs, generator)

    @property
    def layer(self) -> nn.Linear:
        """The linear layer."""
        return self.linear

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(B, ...) -> (B, D)``."""
        return F.relu_(self.linear(x.flatten(1)))

    def weight_gradients(self, x: Tensor, d: Tensor) -> list[Tensor]:
        """d^T x, and the sum of d over the batch."""
        return [d.T @ x.flatten(1).to(d.dtype), d.sum(0)]


class ConvBlock(ReLULayer):
    """``relu(conv3x3(x))``: ``(B, C, H, W) -> (B, C', H, W)``."""

    def __init__(self, inputs: int, outputs: int, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.conv = _conv(inputs, outputs, generator)

    @property
    def layer(self) -> nn.Conv2d:
        """The convolution."""
        return self.conv

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(B, C, H, W) -> (B, C', H, W)``."""
        return F.relu_(self.conv(x))

    def weight_gradients(self, x: Tensor, d: Tensor) -> list[Tensor]:
        """Return the convolution's backward without the gradient at its input, half of what autograd would do."""
        conv = self.conv
        assert conv.bias is not None
        _, weight, _ = torch.ops.aten.convolution_backward(
            d,
            x.to(d.dtype),
            conv.weight.to(d.dtype),
            [len(conv.bias)],
            conv.stride,
            conv.padding,
            conv.dilation,
            False,
            [0, 0],
            conv.groups,
            [False, True, False],  # a plain sum is faster than the kernel's own gradient of the bias
        )
        return [weight, d.sum((0, 2, 3))]


class ResidualBlock(nn.Module):
    """``relu(conv2(relu(conv1(x))) + shortcut(x))`` with a shortcut that has no parameters.

    Args:
        inputs: channels of the input.
        outputs: channels of the output, at least ``inputs``.
        stride: 2 halves the map (rounded up); the shortcut is then average-pooled.
        gain: factor on the initial weights of the second convolution.
        generator: draws the initial weights; None for the global one.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        stride: int = 1,
        gain: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.stride = stride
        self.added_channels = outputs - inputs
        self.conv1 = _conv(inputs, outputs, generator, stride=stride)
        self.conv2 = _conv(outputs, outputs, generator, gain=gain)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(B, C, H, W) -> (B, C', H', W')``."""
        shortcut = F.avg_pool2d(x, 2, ceil_mode=True) if self.stride == 2 else x
        shortcut = F.pad(shortcut, (0, 0, 0, 0, 0, self.added_channels))
        return F.relu_(self.conv2(F.relu_(self.conv1(x))) + shortcut)


def _chain(
    layer: type[LinearBlock] | type[ConvBlock],
    inputs: int,
    outputs: int,
    layers: int,
    generator: torch.Generator | None,
) -> nn.Module:
    """Return a block of so many layers; the first one changes the width."""
    first, *rest = [layer(inputs if i == 0 else outputs, outputs, generator) for i in range(layers)]
    return nn.Sequential(first, *rest) if rest else first


class MLPBackbone(SequentialBackbone):
    """Fully connected ReLU blocks; the first one flattens its input.

    Args:
        config: width, depth and layers a block.
        input_shape: shape of one input, any number of dimensions.
        generator: draws the initial weights; None for the global one.

    Raises:
        OptionError: ``input_shape`` is empty or has a dimension below 1.
    """

    def __init__(self, config: MLP, input_shape: Sequence[int], generator: torch.Generator | None = None) -> None:
        if not input_shape or min(input_shape) < 1:
            raise OptionError(
                f"backbone 'mlp' got inputs of shape {tuple(input_shape)}; expected dimensions of at least 1"
            )
        sizes = [torch.Size(input_shape).numel()] + [config.width] * config.depth
        blocks = [_chain(LinearBlock, sizes[l], sizes[l + 1], config.layers, generator) for l in range(config.depth)]
        super().__init__("mlp", input_shape, blocks, [(config.width,)] * config.depth)


class CNNBackbone(SequentialBackbone):
    """Blocks of 3x3 convolutions, usually of one; see :class:`~ffzoo.backbones.options.CNN`.

    The max-pool at the start of a group belongs to no block: the engine applies it through
    :meth:`downsample`, so that a goodness reads the map at full size.

    Args:
        config: width, depth and layers a block.
        input_shape: ``(C, H, W)``.
        generator: draws the initial weights; None for the global one.

    Raises:
        OptionError: ``input_shape`` is not ``(C, H, W)``.
    """

    def __init__(self, config: CNN, input_shape: Sequence[int], generator: torch.Generator | None = None) -> None:
        channels, height, width = _image_shape("cnn", input_shape)
        blocks: list[nn.Module] = []
        shapes: list[tuple[int, ...]] = []
        pooled = set()
        previous = 0
        for l in range(config.depth):
            group = 4 * l // max(config.depth, 4)
            if group != previous and min(height, width) >= 4:
                pooled.add(l)
                height, width = height // 2, width // 2
            outputs = config.width * (1, 2, 4, 4)[group]
            blocks.append(_chain(ConvBlock, channels, outputs, config.layers, generator))
            shapes.append((outputs, height, width))
            channels, previous = outputs, group
        super().__init__("cnn", input_shape, blocks, shapes)
        self._pooled = frozenset(pooled)

    def downsample(self, l: int, out: Any) -> Any:
        """2x2 max-pool where a group begins: ``(B, C, H, W) -> (B, C, H // 2, W // 2)``."""
        return F.max_pool2d(out, 2) if l in self._pooled else out


class ResNetBackbone(SequentialBackbone):
    """A stem convolution and residual blocks; see :class:`~ffzoo.backbones.options.ResNet`.

    A map is halved only down to 2x2. The second convolution of every residual block starts scaled by
    one over the square root of their number: without normalization the activations would otherwise
    double in variance from block to block.

    Args:
        config: width and depth.
        input_shape: ``(C, H, W)``.
        generator: draws the initial weights; None for the global one.

    Raises:
        OptionError: ``input_shape`` is not ``(C, H, W)``.
    """

    def __init__(self, config: ResNet, input_shape: Sequence[int], generator: torch.Generator | None = None) -> None:
        channels, height, width = _image_shape("resnet", input_shape)
        blocks: list[nn.Module] = [ConvBlock(channels, config.width, generator)]
        shapes: list[tuple[int, ...]] = [(config.width, height, width)]
        channels, previous, residual = config.width, 0, config.depth - 1
        for r in range(residual):
            group = 3 * r // max(residual, 3)
            stride = 2 if group != previous and min(height, width) >= 3 else 1
            height, width = -(-height // stride), -(-width // stride)
            outputs = config.width * 2**group
            blocks.append(ResidualBlock(channels, outputs, stride, residual**-0.5, generator))
            shapes.append((outputs, height, width))
            channels, previous = outputs, group
        super().__init__("resnet", input_shape, blocks, shapes)
