"""A small network from a block's features back to the input.

maps:   x^ = conv3x3(relu(conv3x3(h, enlarged to the input's size)))      width channels between the two
flat:   x^ = h A + b
"""

from __future__ import annotations

import itertools
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.backbones.base import Backbone, full_precision
from ffzoo.parts.base import Build, Context, Goodness
from ffzoo_infopro import options


class Decoder(Goodness):
    """The reconstruction x^ of the input; the options are :class:`ffzoo_infopro.options.Decoder`.

    Attributes:
        layers: its weights, first layer first.
        shifts: its biases.
    """

    kind = "reconstruction"

    def __init__(self, config: options.Decoder, build: Build) -> None:
        super().__init__(config, build)
        self.width, self.shape = config.width, build.shape
        self.seed = int(torch.randint(2**31, (), generator=build.generator))
        self.layers, self.shifts = nn.ParameterList(), nn.ParameterList()

    def attach(self, backbone: Backbone) -> None:
        """Make the weights, now that the input's shape is known."""
        self.input_shape = tuple(backbone.input_shape)
        generator = torch.Generator().manual_seed(self.seed)
        channels = self.input_shape[0]
        maps = len(self.shape) == 3 and len(self.input_shape) == 3
        sizes = [self.shape[0], self.width, channels] if maps else [math.prod(self.shape), math.prod(self.input_shape)]
        self.kernel = (3, 3) if maps else ()
        for inputs, outputs in itertools.pairwise(sizes):
            weight = torch.randn(outputs, inputs, *self.kernel, generator=generator)
            self.layers.append(nn.Parameter(weight / weight[0].numel() ** 0.5))
            self.shifts.append(nn.Parameter(torch.zeros(outputs)))

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """``(B, *input_shape)``."""
        h = full_precision(h)
        if not self.kernel:
            return F.linear(h.flatten(1), self.layers[0], self.shifts[0]).unflatten(1, self.input_shape)
        h = F.interpolate(h, self.input_shape[1:], mode="bilinear", align_corners=True)
        h = F.relu(F.conv2d(h, self.layers[0], self.shifts[0], padding=1))
        return F.conv2d(h, self.layers[1], self.shifts[1], padding=1)
