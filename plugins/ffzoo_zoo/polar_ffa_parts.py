"""The torch code of :mod:`ffzoo_zoo.polar_ffa`."""

from __future__ import annotations

from torch import Tensor

from ffzoo.plugin import Build, Context, Goodness, RecipeError, full_precision
from ffzoo_zoo import polar_ffa

_EPS = 1e-6


class Polar(Goodness):
    """G = g+ - g- or log g+ - log g-, ``(B, C, H, W)`` or ``(B, D)`` -> ``(B,)``.

    g+ is the mean of h^2 over the first half of the units or channels, g- over the others.
    """

    def __init__(self, config: polar_ffa.Polar, build: Build) -> None:
        super().__init__(config, build)
        if build.shape[0] < 2:
            raise RecipeError("goodness=polar splits a block's units in two groups, but there is one unit; expected 2")
        self.positive, self.by = build.shape[0] // 2, config.by

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """Return G ``(B,)``."""
        energies = full_precision(h).square()
        positive = energies[:, : self.positive].flatten(1).mean(1)
        negative = energies[:, self.positive :].flatten(1).mean(1)
        if self.by == "ratio":
            return (positive + _EPS).log() - (negative + _EPS).log()
        return positive - negative
