"""The torch code of :mod:`ffzoo_zoo.auglocal`."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.plugin import Build, Context, Goodness, full_precision, pool_grid
from ffzoo_zoo import auglocal


def sampled(block: int, depth: int, layers: int, pyramid: float) -> list[int]:
    """Return the indices of the later blocks whose shapes a block's network has; none for the last block.

    Of L blocks, block l (from 0) has an auxiliary network of at most ::

        n_l = max(1, round(n (1 - r_l) + r_l)),   r_l = pyramid l / (L - 2)

    layers, and of no more than there are blocks behind it: the i-th has the shape of block
    round(l + (L - 1 - l) i / n_l).
    """
    behind = depth - 1 - block
    ratio = pyramid * block / (depth - 2) if depth > 2 else 0.0
    count = min(behind, max(1, round(layers * (1 - ratio) + ratio)))
    return [round(block + behind / count * i) for i in range(1, count + 1)]


class SampledBlocks(Goodness):
    """A class goodness from a network whose layers are shaped like blocks further on.

    The n layers have the shapes of the blocks that :func:`sampled` chooses::

        a_0 = h                                                             (B, C, H, W) or (B, D)
        a_i = ReLU(norm(conv3x3(resize(a_(i-1)))) + c_i)                    a linear layer for flat features
        z   = W^T pool_grid(a_n) + b                                        (B, K)

    The norm makes each sample's layer mean 0 and variance 1 over all of its channels and positions: no batch
    statistics.

    Attributes:
        shapes: of each layer's output.
        filters: of each layer, ``(C', C, 3, 3)`` or, for flat features, ``(D', C)``.
        shifts: c_i ``(C',)``.
        readout: W ``(d, K)``.
        bias: b ``(K,)``.
    """

    kind = "class"
    reads_half = True

    def __init__(self, config: auglocal.SampledBlocks, build: Build) -> None:
        super().__init__(config, build)
        chosen = sampled(build.block, build.depth, config.layers, config.pyramid)
        self.shapes = [build.shapes[l] for l in chosen]
        self.grid = config.grid
        self.filters, self.shifts = nn.ParameterList(), nn.ParameterList()
        inputs = build.shape[0]
        for shape in self.shapes:
            kernel = (3, 3) if len(shape) == 3 else ()
            filters = torch.randn(shape[0], inputs, *kernel, generator=build.generator)
            self.filters.append(nn.Parameter(filters * (2 / filters[0].numel()) ** 0.5))
            self.shifts.append(nn.Parameter(torch.zeros(shape[0])))
            inputs = shape[0]
        last = self.shapes[-1] if self.shapes else build.shape
        d = pool_grid(torch.zeros(1, *last), config.grid).shape[1]
        self.readout = nn.Parameter(torch.randn(d, build.num_classes, generator=build.generator) / d**0.5)
        self.bias = nn.Parameter(torch.zeros(build.num_classes))

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """Return class scores z ``(B, K)``."""
        a = full_precision(h)
        for shape, filters, shift in zip(self.shapes, self.filters, self.shifts, strict=True):
            a = resize(a, shape[1:])
            a = F.conv2d(a, filters, padding=1) if len(shape) == 3 else F.linear(a, filters)
            a = F.relu(F.layer_norm(a, a.shape[1:]) + shift.view(-1, *[1] * (a.dim() - 2)))
        return pool_grid(a, self.grid) @ self.readout + self.bias


def resize(a: Tensor, sides: tuple[int, ...]) -> Tensor:
    """Average a map to other sides, or to none; flat features become a map of equal positions where one is needed."""
    if not sides:
        return a.flatten(2).mean(2) if a.dim() == 4 else a
    if a.dim() == 2:
        return a[:, :, None, None].expand(-1, -1, *sides)
    return a if a.shape[2:] == sides else F.adaptive_avg_pool2d(a, (sides[0], sides[1]))
