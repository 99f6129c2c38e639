"""Generators of negative samples."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ffzoo.errors import OptionError
from ffzoo.parts import options
from ffzoo.parts.base import Negatives


class NoNegatives(Negatives):
    """No negative view."""


class WrongLabel(Negatives):
    """The same input with a label drawn evenly from the K - 1 wrong ones: never a false negative."""

    wrong_labels = True

    def forward(self, x: Tensor, y: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """``x`` and wrong labels ``(B,)``."""
        shift = torch.randint(1, self.num_classes, y.shape, generator=generator, device=y.device)
        return x, (y + shift) % self.num_classes


class HybridImages(Negatives):
    """Hybrids m * a + (1 - m) * b of two images: right at short range, wrong at long range.

    m is a random image blurred in both directions by [1/4, 1/2, 1/4], again and again, then
    thresholded at 1/2 (Hinton 2022, arXiv:2212.13345, section 3.2).
    """

    def __init__(self, config: options.HybridImages, num_classes: int) -> None:
        super().__init__(config, num_classes)
        self.blurs = config.blurs

    def forward(self, x: Tensor, y: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Hybrid images ``(B, C, H, W)``; the labels are those of ``a`` and mean nothing.

        Raises:
            OptionError: the input is not a batch of at least two images.
        """
        if x.dim() != 4 or len(x) < 2:
            raise OptionError(
                f"negatives=hybrid_images mixes pairs of images; got a batch of shape {tuple(x.shape)}, "
                "expected (B, C, H, W) with B at least 2"
            )
        size = (len(x), 1, *x.shape[-2:])
        mask = torch.rand(size, generator=generator, device=x.device, dtype=x.dtype)
        kernel = torch.tensor([0.25, 0.5, 0.25], device=x.device, dtype=x.dtype)
        for _ in range(self.blurs):
            mask = F.conv2d(F.pad(mask, (1, 1, 0, 0), "replicate"), kernel.view(1, 1, 1, 3))
            mask = F.conv2d(F.pad(mask, (0, 0, 1, 1), "replicate"), kernel.view(1, 1, 3, 1))
        shift = int(torch.randint(1, len(x), (), generator=generator, device=x.device))
        return torch.where(mask > 0.5, x, x.roll(shift, 0)), y
