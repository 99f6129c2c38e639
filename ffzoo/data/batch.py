"""What a training step sees, and a part of the data as an algorithm sees it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import torch
from torch import Tensor

from ffzoo.errors import DataError


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


Item: TypeAlias = "Batch | tuple[Tensor, Tensor] | list[Tensor]"
"""What a loader gives: ``(x, y)``, as a pair or a list of two, or a :class:`Batch`."""


class Batches:
    """A loader as an algorithm's ``start`` and ``finish`` see it: :class:`Samples` of batches ``(x, y)``.

    Args:
        source: batches that can be read again and again.
        device: where they are put.

    Attributes:
        steps: number of batches; they are counted where ``source`` has no length.

    Raises:
        DataError: ``source`` holds no batch, or can be read only once.
    """

    def __init__(self, source: Iterable[Item], device: torch.device | str = "cpu") -> None:
        if isinstance(source, Iterator):
            raise DataError(
                f"the batches are a {type(source).__name__}, which can be read only once; "
                "expected what gives them again in every epoch, such as a list or a DataLoader"
            )
        self.source, self.device = source, device
        try:
            self.steps = len(source)  # type: ignore[arg-type]
        except TypeError:  # it has none; a DataLoader's is missing where its data set has none
            self.steps = sum(1 for _ in source)
        if not self.steps:
            raise DataError("there are no batches; expected at least one pair (x, y)")

    def __len__(self) -> int:
        return sum(len(batch.y) for batch in self)

    def __iter__(self) -> Iterator[Batch]:
        for item in self.source:
            if isinstance(item, Batch):
                batch = item
            elif isinstance(item, tuple | list) and [isinstance(value, Tensor) for value in item] == [True, True]:
                batch = Batch(*item)
            else:
                parts = ", ".join(type(value).__name__ for value in item) if isinstance(item, tuple | list) else ""
                raise DataError(
                    f"a batch is a {type(item).__name__} ({parts or 'not a pair'}); expected tensors (x, y), or a Batch"
                )
            yield dataclasses.replace(batch, x=batch.x.to(self.device), y=batch.y.to(self.device))
