"""The torch code of :mod:`ffzoo_zoo.sff`."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.plugin import Build, Context, Goodness, full_precision
from ffzoo_zoo import sff


class ClassEnergy(Goodness):
    """g_k = mean over positions of a_k^2, a = conv(h) + b: ``(B, C, H, W)`` or ``(B, D) -> (B, K)``.

    Attributes:
        weight: of the convolution ``(K, C, kernel, kernel)``, or of the linear layer ``(K, D)``.
        bias: b ``(K,)``.
    """

    kind = "class"
    reads_half = True

    def __init__(self, config: sff.ClassEnergy, build: Build) -> None:
        super().__init__(config, build)
        kernel = (config.kernel, config.kernel) if len(build.shape) == 3 else ()
        weight = torch.randn(build.num_classes, build.shape[0], *kernel, generator=build.generator)
        self.weight = nn.Parameter(weight / weight[0].numel() ** 0.5)
        self.bias = nn.Parameter(torch.zeros(build.num_classes))

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """Return class scores g ``(B, K)``."""
        h = full_precision(h)
        if h.dim() == 2:
            return F.linear(h, self.weight, self.bias).square()
        return F.conv2d(h, self.weight, self.bias, padding="same").square().mean((2, 3))
