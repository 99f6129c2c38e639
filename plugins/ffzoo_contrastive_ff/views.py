"""A second positive view of a sample."""

from __future__ import annotations

import torch
from torch import Tensor

from ffzoo.data.augment import random_crop, random_flip
from ffzoo.parts.base import Negatives
from ffzoo_contrastive_ff import options


class SecondView(Negatives):
    """The sample moved, mirrored and with noise; the options are :class:`ffzoo_contrastive_ff.options.SecondView`.

    A vector has no neighbours to be moved over: it gets the noise alone.
    """

    sign = 1

    def __init__(self, config: options.SecondView, num_classes: int) -> None:
        super().__init__(config, num_classes)
        self.config = config

    def forward(self, x: Tensor, y: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Inputs like ``x`` and the same labels."""
        draws = generator or torch.default_generator
        if x.dim() == 4:
            x = random_crop(x, min(self.config.shift, *(side - 1 for side in x.shape[-2:])), draws)
            x = random_flip(x, draws) if self.config.flip else x
        noise = torch.randn(x.shape, generator=draws, device=draws.device, dtype=x.dtype)
        return x + self.config.noise * noise.to(x.device), y
