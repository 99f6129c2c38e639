"""The torch code of :mod:`ffzoo_zoo.selectivity`."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ffzoo.plugin import Build, Context, Goodness, full_precision
from ffzoo_zoo import selectivity


class TopK(Goodness):
    """G = mean of the k largest h^2, ``(B, ...) -> (B,)``."""

    def __init__(self, config: selectivity.TopK, build: Build) -> None:
        super().__init__(config, build)
        self.k = max(1, round(config.share * torch.Size(build.shape).numel()))

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """Return G ``(B,)``."""
        return full_precision(h).flatten(1).square().topk(self.k, 1).values.mean(1)


class EntmaxEnergy(Goodness):
    """G = sum of p_i h_i^2 with p = 1.5-entmax(h^2), ``(B, ...) -> (B,)``."""

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """Return G ``(B,)``."""
        energies = full_precision(h).flatten(1).square()
        return (entmax15(energies) * energies).sum(1)


class Kurtosis(Goodness):
    """G = mean of ((h - mean h) / sd h)^4 - 3, ``(B, ...) -> (B,)``; 0 for a Gaussian, high for few peaks."""

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """Return G ``(B,)``."""
        flat = full_precision(h).flatten(1)
        return F.layer_norm(flat, flat.shape[1:]).pow(4).mean(1) - 3


def entmax15(scores: Tensor) -> Tensor:
    """Return 1.5-entmax of each row, exactly, by sorting: ``(B, D) -> (B, D)``, most of it zero.

    It is the p that sums to 1 with p_i = max(0, e_i / 2 - tau)^2 (Peters, Niculae and Martins 2019, arXiv:1905.05702).
    Of the n largest z = e / 2, with mean m and sum of squared deviations s, tau would be m - sqrt((1 - s) / n); it is
    that of the largest n whose own smallest z is not below it.
    """
    z = scores / 2
    z = z - z.amax(1, keepdim=True)  # which p does not see, and large numbers cancel no more
    with torch.no_grad():
        # In double: among thousands of equal values float32 cancels, and too many would count as inside.
        ordered = z.double().sort(1, descending=True).values
        n = torch.arange(1, z.shape[1] + 1, device=z.device, dtype=ordered.dtype)
        mean = ordered.cumsum(1) / n
        deviation = ordered.square().cumsum(1) - n * mean.square()
        tau = mean - ((1 - deviation) / n).clamp(min=0).sqrt()
        size = (tau <= ordered).sum(1, keepdim=True)
        inside = z >= ordered.gather(1, size - 1).to(z.dtype)
    # The same once more for the rows' own sizes: this time with a gradient.
    size = inside.sum(1, keepdim=True)
    mean = (z * inside).sum(1, keepdim=True) / size
    deviation = ((z - mean).square() * inside).sum(1, keepdim=True)
    tau = mean - ((1 - deviation).clamp(min=1e-7) / size).sqrt()
    return (z - tau).clamp(min=0).square()
