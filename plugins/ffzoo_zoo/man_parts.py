"""The torch code of :mod:`ffzoo_zoo.man`."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.plugin import (
    Backbone,
    Build,
    Context,
    Goodness,
    RecipeError,
    as_written,
    full_precision,
    make_part,
    pool_grid,
)
from ffzoo_zoo import man


class MomentumLayer(Goodness):
    """A class goodness behind a moving average of the next block's first layer.

    With the next block's first convolution or linear layer as layer, and theta its weights before the step::

        u = norm(h)                                              as the next block reads it
        a = ReLU(layer(u; gamma)) + ReLU(layer(u; beta))
        z = W^T pool_grid(a) + b                                 (B, K)
        gamma <- m gamma + (1 - m) theta                         once per step

    gamma starts from theta and has no gradient; beta, the learnable bias of the paper, is learned with the block, as W
    and b are. The last block has nobody behind it, so there a = h.

    Attributes:
        average: the layer with the weights gamma, which are buffers; None for the last block, as the next one.
        bias_layer: the layer with the weights beta.
        readout: W ``(d, K)``.
        bias: b ``(K,)``.
    """

    kind = "class"
    coupling = "shared parameters"
    batch_level = True  # the average moves at every pass, so a step must be one pass

    def __init__(self, config: man.MomentumLayer, build: Build) -> None:
        super().__init__(config, build)
        self.config, self.build = config, build
        self.average: nn.Module | None = None
        self.bias_layer: nn.Module | None = None
        self.norm: nn.Module | None = None

    def attach(self, backbone: Backbone) -> None:
        """Copy the next block's first layer, and build the classifier behind it.

        Raises:
            RecipeError: the next block has no convolution or linear layer that reads this one's channels.
        """
        build, config = self.build, self.config
        if build.block < build.depth - 1:
            layer = first_layer(backbone, build.block + 1, build.shape)
            # In a list they are no submodules: the next block's weights are not this one's.
            self._backbone, self._next = [backbone], [layer]
            name = ("none" if backbone.normalized else "layernorm") if config.norm == "auto" else config.norm
            self.norm = make_part("normalizations", name, build.shape)
            self.average, self.bias_layer = copy.deepcopy(layer), copy.deepcopy(layer)
            for key, p in list(self.average.named_parameters()):
                delattr(self.average, key)
                self.average.register_buffer(key, p.detach())
            with torch.no_grad():
                for p in self.bias_layer.parameters():
                    scale = (2 / p[0].numel()) ** 0.5 if p.dim() > 1 else 0.0
                    p.copy_(scale * torch.randn(p.shape, generator=build.generator))
        d = pool_grid(self._seen(torch.zeros(1, *build.shape)), config.grid).shape[1]
        self.readout = nn.Parameter(torch.randn(d, build.num_classes, generator=build.generator) / d**0.5)
        self.bias = nn.Parameter(torch.zeros(build.num_classes))

    def _seen(self, h: Tensor) -> Tensor:
        """Return what the classifier reads."""
        if self.average is None or self.bias_layer is None or self.norm is None:
            return h
        u = self.norm(self._backbone[0].downsample(self.build.block + 1, full_precision(h)))
        return F.relu(over_channels(self.average, u)) + F.relu(over_channels(self.bias_layer, u))

    def forward(self, h: Tensor, ctx: Context) -> Tensor:
        """Return class scores z ``(B, K)``; in training the average then moves."""
        z = pool_grid(self._seen(h), self.config.grid) @ self.readout + self.bias
        if ctx.training and self.average is not None:
            with torch.no_grad():
                for key, theta in self._next[0].named_parameters():
                    # A new tensor: the backward pass reads the old one later.
                    gamma = torch.lerp(theta, self.average.get_buffer(key), self.config.momentum)
                    setattr(self.average, key, gamma)
        return z


def over_channels(layer: nn.Module, u: Tensor) -> Tensor:
    """Apply a convolution to a map, or a linear layer to the channels of every position."""
    y: Tensor = layer(u) if isinstance(layer, nn.Conv2d) else layer(u.movedim(1, -1)).movedim(-1, 1)
    return y


def first_layer(backbone: Backbone, l: int, shape: tuple[int, ...]) -> nn.Module:
    """Return the first convolution or linear layer of block ``l`` that reads the channels of features of a shape."""
    for name, module in backbone.named_modules():
        if backbone.owner(f"{name}.weight") != l or not as_written(module):
            continue
        if isinstance(module, nn.Linear) and module.in_features == shape[0]:
            return module
        if isinstance(module, nn.Conv2d) and module.in_channels == shape[0] and len(shape) == 3:
            return module
    raise RecipeError(
        f"block {l + 1} of {backbone.name} has no convolution or linear layer that reads the {shape[0]} channels of "
        "the block before, so there is nothing for goodness=momentum_layer to follow; expected another backbone, such "
        "as cnn"
    )
