"""A goodness for every position of a map."""

from __future__ import annotations

from torch import Tensor

from ffzoo.backbones.base import full_precision
from ffzoo.parts.base import Context, Goodness


class EnergyMap(Goodness):
    """G_p = mean over channels of h_p^2: ``(B, C, H, W) -> (B, H W)``, ``(B, D) -> (B, 1)``."""

    kind = "map"

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """``(B, P)``."""
        return full_precision(h).square().mean(1, keepdim=True).flatten(1)
