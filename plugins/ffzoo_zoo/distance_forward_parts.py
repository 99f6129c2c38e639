"""The torch code of :mod:`ffzoo_zoo.distance_forward`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ffzoo.plugin import Build, Context, Goodness, pool_grid
from ffzoo_zoo import distance_forward


class Centroids(Goodness):
    """Minus the squared distance to each class's centroid.

    From features h::

        a   = pool_grid(h)                  (B, d)
        g_k = -||a - c_k||^2                (B, K), c_k learned

    Attributes:
        centroids: c_k as rows ``(K, d)``, from N(0, 1/d).
    """

    kind = "class"
    reads_half = True

    def __init__(self, config: distance_forward.Centroids, build: Build) -> None:
        super().__init__(config, build)
        self.grid = config.grid
        d = pool_grid(torch.zeros(1, *build.shape), config.grid).shape[1]
        self.centroids = nn.Parameter(torch.randn(build.num_classes, d, generator=build.generator) / d**0.5)

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """Return class scores g ``(B, K)``."""
        a, c = pool_grid(h, self.grid), self.centroids
        # Expanded, it needs no (B, K, d).
        return 2 * a @ c.T - a.square().sum(1, keepdim=True) - c.square().sum(1)
