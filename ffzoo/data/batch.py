"""What a training step sees, and a part of the data as an algorithm sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """What a step sees.

    Attributes:
        x: inputs, normalised float32, ``(B, C, H, W)`` or ``(B, D)``.
        y: labels ``(B,)``, int64.
        index: position of each sample in the training part ``(B,)``, for rules with memory.
        epoch: from 0.
        generator: the step's random numbers, on the device of ``x``; None draws from torch's own.
    """

    x: Tensor
    y: Tensor
    index: Tensor | None = None
    epoch: int = 0
    generator: torch.Generator | None = None


class Samples(Protocol):
    """A part of the data as an algorithm's ``start`` and ``finish`` see it, without augmentation."""

    steps: int
    """Training steps an epoch."""

    def __len__(self) -> int:
        """Number of samples."""
        ...

    def __iter__(self) -> Iterator[Batch]:
        """Batches in order."""
        ...
