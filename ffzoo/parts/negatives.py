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
        """Return ``x`` and wrong labels ``(B,)``."""
        shift = torch.randint(1, self.num_classes, y.shape, generator=generator, device=y.device)
        return x, (y + shift) % self.num_classes


class HardLabel(Negatives):
    """The same input with a wrong label drawn in proportion to the softmax of the present prediction.

    Hinton 2022, arXiv:2212.13345, section 3.3. The prediction is that of the whole network before the step, so labels
    that later blocks and the readout find likely come back to earlier blocks.
    """

    wrong_labels = True
    reads_prediction = True
    coupling = "feedback"

    def forward(
        self, x: Tensor, y: Tensor, generator: torch.Generator | None, prediction: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return ``x`` and wrong labels ``(B,)``, given scores ``(B, K)``."""
        assert prediction is not None
        wrong = prediction.scatter(1, y[:, None], -torch.inf).softmax(1)  # never the true label, whatever the scores
        # Of exponential waiting times at these rates the shortest is a draw from them.
        return x, (wrong / torch.empty_like(wrong).exponential_(generator=generator)).argmax(1)


class HybridImages(Negatives):
    """Hybrids m * a + (1 - m) * b of two images: right at short range, wrong at long range.

    m is a random image blurred in both directions by [1/4, 1/2, 1/4], again and again, then thresholded at 1/2
    (Hinton 2022, arXiv:2212.13345, section 3.2), or at its own mean where all of it lies on one side.
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
        flat = mask.flatten(1)
        # A small mask may lie on one side of 1/2: its "hybrid" would be a real image.
        whole = (flat.amin(1) > 0.5) | (flat.amax(1) <= 0.5)
        threshold = torch.where(whole, flat.mean(1), 0.5).view(-1, 1, 1, 1)
        shift = int(torch.randint(1, len(x), (), generator=generator, device=x.device))
        return torch.where(mask > threshold, x, x.roll(shift, 0)), y
