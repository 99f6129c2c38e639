"""The torch code of :mod:`ffzoo_zoo.bicovg`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ffzoo.plugin import Build, Context, Goodness, full_precision, pool_grid
from ffzoo_zoo import bicovg


class BiCovG(Goodness):
    """Second-order statistics over two axes, channels and positions.

    From features h::

        e   = h^2                                 energy of each channel and position
        c   = (P h)^2                             energies of mixtures of channels: the mean of (p^T h)^2 is
                                                  p^T E[h h^T] p
        s_g = (mean of h over a window)^2         windows of a g x g grid, g = 1, 2, 4, ...: the mean product of any two
                                                  positions in the window
        a   = [pool_G(e), pool_G(c), s_1, s_2, ..., s_G]
        z   = W^T a + b                           (B, K)

    G is the finest grid. So many covariances would cost O(C^2) and O((HW)^2) if written out. Flat features have e and c
    alone.

    Attributes:
        mixtures: P ``(m, C)``, learned, from N(0, 1/C).
        readout: W ``(d, K)``, learned, from N(0, 1/d).
        bias: b ``(K,)``.
    """

    kind = "class"

    def __init__(self, config: bicovg.BiCovG, build: Build) -> None:
        super().__init__(config, build)
        channels, generator = build.shape[0], build.generator
        self.scales = [2**i for i in range(config.scales)]
        self.mixtures = nn.Parameter(torch.randn(config.mixtures, channels, generator=generator) / channels**0.5)
        d = self.statistics(torch.zeros(1, *build.shape)).shape[1]
        self.readout = nn.Parameter(torch.randn(d, build.num_classes, generator=generator) / d**0.5)
        self.bias = nn.Parameter(torch.zeros(build.num_classes))

    def statistics(self, h: Tensor) -> Tensor:
        """Return a ``(B, d)`` of features ``(B, C, H, W)`` or ``(B, D)``."""
        mixed = torch.einsum("mc,bc...->bm...", self.mixtures, h)
        finest = self.scales[-1]
        found = [pool_grid(h, finest, power=2), pool_grid(mixed, finest, power=2)]
        if h.dim() == 4:
            found += [pool_grid(h, g).square() for g in self.scales]
        return torch.cat(found, 1)

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """Return class scores z ``(B, K)``."""
        return self.statistics(full_precision(h)) @ self.readout + self.bias
