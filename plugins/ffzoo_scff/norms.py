"""The normalization between blocks."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ffzoo.parts.norms import Normalization


class PositionStd(Normalization):
    """(h - mean) / sd over the channels at each position, so that no position's goodness goes on."""

    def forward(self, h: Tensor) -> Tensor:
        """``h`` with mean 0 and variance 1 at each position; for ``(B, D)`` over all features."""
        last = h.movedim(1, -1)
        return F.layer_norm(last, last.shape[-1:]).movedim(-1, 1)
