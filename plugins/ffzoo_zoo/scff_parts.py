"""The torch code of :mod:`ffzoo_zoo.scff`."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ffzoo.plugin import Build, Context, Goodness, LocalLoss, Negatives, OptionError, full_precision
from ffzoo_zoo import scff


class EnergyMap(Goodness):
    """G_p = mean over channels of h_p^2: ``(B, C, H, W) -> (B, H W)``, ``(B, D) -> (B, 1)``."""

    kind = "map"

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """Return G, ``(B, P)``."""
        return full_precision(h).square().mean(1, keepdim=True).flatten(1)


class TwoThresholds(LocalLoss):
    """Mean over positions of softplus(a (theta+ - G+)) + softplus(b (G- - theta-)), plus lambda ||G+||_2.

    G+ and G- are maps ``(B, P)``.
    """

    accepts = ("map",)
    views = 2

    def __init__(self, config: scff.TwoThresholds, build: Build) -> None:
        super().__init__(config, build)
        self.config = config

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """Return the mean over the batch."""
        g_plus, g_minus = scores
        c = self.config
        up = F.softplus(c.positive_scale * (c.positive - g_plus)).mean()
        down = F.softplus(c.negative_scale * (g_minus - c.negative)).mean()
        return up + down + c.penalty * g_plus.norm(dim=1).mean()


class SelfConcatenation(Negatives):
    """Positive: x + x. Negative: x + x', with another sample of the batch, never x itself.

    A block that reads two samples side by side through the same weights W computes W x + W x' = W (x + x'); so the
    views are sums, and only the first block sees two samples.
    """

    def positive(self, x: Tensor) -> Tensor:
        """Return the sample with itself: x + x."""
        return x + x

    def forward(self, x: Tensor, y: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Return sums x + x'; the labels are those of x and mean nothing.

        Raises:
            OptionError: there is no other sample in the batch.
        """
        if len(x) < 2:
            raise OptionError(
                f"negatives=self_concatenation pairs a sample with another one; got a batch of {len(x)}, expected at "
                "least 2"
            )
        shift = int(torch.randint(1, len(x), (), generator=generator, device=x.device))
        return x + x.roll(shift, 0), y
