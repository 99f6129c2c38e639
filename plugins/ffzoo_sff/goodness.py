"""The mean square of a learned convolution to one channel a class.

a   = conv(h) + b                        (B, K, H, W); (B, K) of flat features
g_k = mean over positions of a_k^2       (B, K)
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.backbones.base import full_precision
from ffzoo.parts.base import Build, Context, Goodness
from ffzoo_sff import options


class ClassEnergy(Goodness):
    """See the module's text; the options are :class:`ffzoo_sff.options.ClassEnergy`.

    Attributes:
        weight: of the convolution ``(K, C, kernel, kernel)``, or of the linear layer ``(K, D)``.
        bias: b ``(K,)``.
    """

    kind = "class"
    reads_half = True

    def __init__(self, config: options.ClassEnergy, build: Build) -> None:
        super().__init__(config, build)
        kernel = (config.kernel, config.kernel) if len(build.shape) == 3 else ()
        weight = torch.randn(build.num_classes, build.shape[0], *kernel, generator=build.generator)
        self.weight = nn.Parameter(weight / weight[0].numel() ** 0.5)
        self.bias = nn.Parameter(torch.zeros(build.num_classes))

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """Class scores g ``(B, K)``."""
        h = full_precision(h)
        if h.dim() == 2:
            return F.linear(h, self.weight, self.bias).square()
        return F.conv2d(h, self.weight, self.bias, padding="same").square().mean((2, 3))
