"""The torch code of :mod:`ffzoo_zoo.dgl`."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.plugin import Build, Context, Goodness, full_precision, pool_grid
from ffzoo_zoo import dgl

_WIDTH = 64


class AuxConv(Goodness):
    """A class goodness that is a small network of its own.

    From features h::

        a_0 = pool_grid(h)                                        (B, C, g, g); (B, D) features are not pooled
        a_i = GELU(norm(conv3x3(a_(i-1))) + c_i)                  a linear layer for (B, D)
        z   = W^T flatten(a_n) + b                                (B, K)

    The norm makes each sample's layer mean 0 and variance 1 over all of its channels and positions: no batch
    statistics.

    Attributes:
        filters: of each hidden layer, ``(width, inputs, 3, 3)`` or, for flat features, ``(width, inputs)``.
        shifts: added to each hidden layer behind its norm, ``(width,)``.
        readout: W ``(d, K)``.
        bias: b ``(K,)``.
    """

    kind = "class"
    reads_half = True

    def __init__(self, config: dgl.AuxConv, build: Build) -> None:
        super().__init__(config, build)
        inputs, *sides = build.shape
        width = config.width or min(inputs, _WIDTH)
        self.grid = min(config.grid, *sides) if sides else 0
        kernel, positions = ((3, 3), self.grid**2) if sides else ((), 1)
        self.filters, self.shifts = nn.ParameterList(), nn.ParameterList()
        for _ in range(config.layers):
            filters = torch.randn(width, inputs, *kernel, generator=build.generator)
            self.filters.append(nn.Parameter(filters / filters[0].numel() ** 0.5))
            self.shifts.append(nn.Parameter(torch.zeros(width)))
            inputs = width
        d = width * positions
        self.readout = nn.Parameter(torch.randn(d, build.num_classes, generator=build.generator) / d**0.5)
        self.bias = nn.Parameter(torch.zeros(build.num_classes))

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """Return class scores z ``(B, K)``."""
        a = pool_grid(h, self.grid).unflatten(1, (-1, self.grid, self.grid)) if self.grid else full_precision(h)
        for filters, shift in zip(self.filters, self.shifts, strict=True):
            a = F.conv2d(a, filters, padding=1) if self.grid else F.linear(a, filters)
            a = F.layer_norm(a, a.shape[1:])
            a = F.gelu(a + shift.view(-1, *[1] * (a.dim() - 2)))
        return a.flatten(1) @ self.readout + self.bias
