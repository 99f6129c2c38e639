"""The torch code of :mod:`ffzoo_zoo.greedy_infomax`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ffzoo.plugin import Build, Context, Goodness, LocalLoss, RecipeError, pool_grid
from ffzoo_zoo import greedy_infomax


class InfoNCE(Goodness):
    """How well the upper rows of a map foretell the lower ones: G_k for every step k down the map.

    With sample i's patch foretelling and sample j's foretold::

        a = pool_grid(h)                                             (B, C, G, G)
        log f_k(i, j, r, c) = a_j[r + k + s, c] . W_k a_i[r, c]      s rows are skipped
        G_k(i) = mean over rows r and columns c of log softmax over j of log f_k(i, j, r, c), at j = i

    The one right patch stands among those of the whole batch at the same place.

    Attributes:
        weight: W_k ``(steps, C, C)``, learned.

    Raises:
        RecipeError: the block's features are no map, or a map of a single row.
    """

    kind = "map"
    batch_level = True

    def __init__(self, config: greedy_infomax.InfoNCE, build: Build) -> None:
        super().__init__(config, build)
        if len(build.shape) != 3 or min(build.shape[1:]) < 2:
            raise RecipeError(
                f"goodness=infonce foretells lower rows of a map from upper ones, but block {build.block + 1} has "
                f"features of shape {build.shape}; expected (C, H, W) with H and W at least 2: backbone=cnn or resnet"
            )
        channels, *sides = build.shape
        self.grid = min(config.grid, *sides)
        self.skip = min(config.skip, self.grid - 2)
        steps = min(config.steps, self.grid - 1 - self.skip)
        self.weight = nn.Parameter(torch.randn(steps, channels, channels, generator=build.generator) / channels)

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """Return G, ``(B, C, H, W) -> (B, steps)``."""
        a = pool_grid(h, self.grid).unflatten(1, (-1, self.grid, self.grid))
        return torch.stack([self._step(a, k, w) for k, w in enumerate(self.weight, 1)], 1)

    def _step(self, a: Tensor, k: int, w: Tensor) -> Tensor:
        """Return G_k ``(B,)`` of pooled maps ``(B, C, G, G)``."""
        reach = k + self.skip
        foretelling = torch.einsum("dc,bcrx->rxbd", w, a[:, :, :-reach])
        foretold = a[:, :, reach:].permute(2, 3, 1, 0)  # (rows, columns, C, B)
        log_f = foretelling @ foretold  # (rows, columns, B, B)
        return log_f.log_softmax(3).diagonal(dim1=2, dim2=3).mean((0, 1))


class NegativeMean(LocalLoss):
    """L = - mean of a map ``(B, P)``: the goodness should rise."""

    accepts = ("map",)

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """Return minus the mean over batch and map."""
        return -scores[0].mean()
