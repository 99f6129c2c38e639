"""The torch code of :mod:`ffzoo_zoo.infopro`."""

from __future__ import annotations

import itertools
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.plugin import Backbone, Build, Context, Goodness, LocalLoss, RecipeError, full_precision
from ffzoo_zoo import infopro


class Decoder(Goodness):
    """The reconstruction x^ of the input, by a small network from a block's features.

    For maps, with width channels between the two convolutions, and for flat features::

        maps:   x^ = conv3x3(relu(conv3x3(h, enlarged to the input's size)))
        flat:   x^ = h A + b

    Attributes:
        layers: its weights, first layer first.
        shifts: its biases.
    """

    kind = "reconstruction"

    def __init__(self, config: infopro.Decoder, build: Build) -> None:
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
        """Return x^, ``(B, *input_shape)``."""
        h = full_precision(h)
        if not self.kernel:
            return F.linear(h.flatten(1), self.layers[0], self.shifts[0]).unflatten(1, self.input_shape)
        h = F.interpolate(h, self.input_shape[1:], mode="bilinear", align_corners=True)
        h = F.relu(F.conv2d(h, self.layers[0], self.shifts[0], padding=1))
        return F.conv2d(h, self.layers[1], self.shifts[1], padding=1)


def weight(config: infopro.ByDepth, build: Build, end: float) -> float:
    """Return a block's weight, on a line from ``first`` in block 1 to ``last`` in the last but one; then ``end``."""
    if build.block == build.depth - 1:
        return end
    way = build.block / max(1, build.depth - 2)
    return (1 - way) * config.first + way * config.last


class Reconstruction(LocalLoss):
    """lambda_1 times the mean of (x^ - x)^2."""

    accepts = ("reconstruction",)
    requires = ("input",)

    def __init__(self, config: infopro.Reconstruction, build: Build) -> None:
        super().__init__(config, build)
        self.weight = weight(config, build, end=0.0)

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """Return the weighted mean over batch and inputs.

        Raises:
            RecipeError: the reconstruction is not shaped like the input.
        """
        (rebuilt,), x = scores, ctx.x
        assert x is not None
        if rebuilt.shape != x.shape:
            raise RecipeError(
                f"the reconstruction has shape {tuple(rebuilt.shape[1:])} and the input {tuple(x.shape[1:])}; expected "
                "a label embedding that leaves the input's shape as it is, such as none"
            )
        return self.weight * (rebuilt - x.to(rebuilt.dtype)).square().mean()


class DepthCrossEntropy(LocalLoss):
    """lambda_2 times -log softmax(z)_y of class scores z ``(B, K)``, with the training's label smoothing."""

    accepts = ("class",)

    def __init__(self, config: infopro.DepthCrossEntropy, build: Build) -> None:
        super().__init__(config, build)
        self.weight, self.label_smoothing = weight(config, build, end=1.0), build.label_smoothing

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """Return the weighted cross-entropy of the positive view."""
        assert ctx.y is not None
        return self.weight * F.cross_entropy(scores[0], ctx.y, label_smoothing=self.label_smoothing)
