"""The two views of self-contrast.

A block that reads two samples side by side through the same weights W computes W x + W x' = W (x + x'); so the views
are sums, and only the first block sees two samples.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ffzoo.errors import OptionError
from ffzoo.parts.base import Negatives


class SelfConcatenation(Negatives):
    """Positive: x + x. Negative: x + x', with another sample of the batch, never x itself."""

    def positive(self, x: Tensor) -> Tensor:
        """The sample with itself: x + x."""
        return x + x

    def forward(self, x: Tensor, y: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Sums x + x'; the labels are those of x and mean nothing.

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
