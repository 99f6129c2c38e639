"""Normalizations: between blocks (``forward_norm``) or before a goodness (``goodness_norm``)."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.errors import OptionError
from ffzoo.parts import options


class Normalization(nn.Module):
    """Base class; an instance sits in front of one block and belongs to it.

    Args:
        config: the options, or None when it has none.
        shape: features of the block before, without the batch; what is pooled between the blocks may have smaller maps.
    """

    by_channel: ClassVar[bool] = False  # True: it reads (B, C, ...) alone, not tokens or channels that come last

    def __init__(self, config: Any, shape: tuple[int, ...]) -> None:
        super().__init__()

    def forward(self, h: Tensor) -> Tensor:
        """Return features ``h`` -> the same shape."""
        return h


class LayerNorm(Normalization):
    """(h - mean) / sd over all features of a sample, without gain and bias.

    Behind a stop-gradient a gain would never be trained by the block in front of it.
    """

    def forward(self, h: Tensor) -> Tensor:
        """Return ``h`` with mean 0 and variance 1 per sample."""
        # The mean over all features asks for no order, and the kernels want a sample in one piece.
        last = h.dim() == 4 and h.is_contiguous(memory_format=torch.channels_last)
        flat = h.permute(0, 2, 3, 1) if last else h
        if h.dtype == torch.float32 and h.device.type == "cpu" and not torch.is_grad_enabled():
            u = F.group_norm(flat.flatten(1).unsqueeze(2), 1).view(flat.shape)  # half of layer_norm's time there
        else:
            u = F.layer_norm(flat, flat.shape[1:])
        return u.permute(0, 3, 1, 2) if last else u


class RMS(Normalization):
    """h / sqrt(mean of h^2) over all features of a sample: only the direction goes on.

    The mean square of the next block's input is 1 whatever the goodness was (Hinton 2022, section 2).
    """

    def forward(self, h: Tensor) -> Tensor:
        """Return ``h`` with mean square 1 per sample."""
        return F.rms_norm(h, h.shape[1:], eps=1e-8)


class L2(Normalization):
    """h / ||h||_2 over all features of a sample."""

    def forward(self, h: Tensor) -> Tensor:
        """Return ``h`` with Euclidean norm 1 per sample."""
        return F.normalize(h.flatten(1), dim=1).view_as(h)


class BatchNorm(Normalization):
    """(h - mean) / sd of each channel or unit over the batch, without gain and bias; each view by itself.

    Running statistics take the batch's place in evaluation.
    """

    by_channel = True

    def __init__(self, config: Any, shape: tuple[int, ...]) -> None:
        super().__init__(config, shape)
        layer = nn.BatchNorm2d if len(shape) == 3 else nn.BatchNorm1d
        self.norm = layer(shape[0], affine=False)

    def forward(self, h: Tensor) -> Tensor:
        """Return ``h`` with mean 0 and variance 1 per channel.

        Raises:
            OptionError: training on one value per channel.
        """
        try:
            return self.norm(h)
        except ValueError as error:
            raise OptionError(
                f"batchnorm has one value a channel in a batch of shape {tuple(h.shape)}; expected two samples a view"
            ) from error


class GroupNorm(Normalization):
    """(h - mean) / sd over each group of channels of a sample, without gain and bias."""

    by_channel = True

    def __init__(self, config: options.GroupNorm, shape: tuple[int, ...]) -> None:
        super().__init__(config, shape)
        # A group of one number would be zero whatever it was.
        most = min(config.groups, shape[0], max(1, math.prod(shape) // 2))
        self.groups = max(g for g in range(1, most + 1) if shape[0] % g == 0)

    def forward(self, h: Tensor) -> Tensor:
        """Return ``h`` with mean 0 and variance 1 per group."""
        flat = h.reshape(h.shape[0], self.groups, -1)
        return F.layer_norm(flat, flat.shape[2:]).view_as(h)
