"""Parts of data that are read anew in every epoch: items of a Dataset, batches of a DataLoader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ffzoo.data.arrays import pair, sample
from ffzoo.data.bundle import Split
from ffzoo.errors import DataError

_KEPT = 256
"""Samples that are kept of a DataLoader for probes before the first step."""

_STATISTICS = 2048
"""Samples of a Dataset that mean and deviation of the pixels are estimated from."""


class ItemsSplit(Split):
    """Items of a map-style Dataset, read when they are asked for; the data set's own transforms apply.

    Args:
        items: the data set.
        rows: which items.
        labels: of these, int64 ``(N,)``.
        first: some samples, for their shape, type and statistics.
    """

    def __init__(self, items: Any, rows: Sequence[int], labels: Tensor, first: Tensor) -> None:
        super().__init__(first, labels)
        self.items, self.rows = items, list(rows)

    @property
    def in_memory(self) -> bool:
        """Whether the images are a tensor: they are not."""
        return False

    def subset(self, index: Tensor) -> ItemsSplit:
        """Return the samples at ``index`` (int64 (M,)), in that order."""
        rows = [self.rows[i] for i in index.tolist()]
        return ItemsSplit(self.items, rows, self.labels[index.to(self.labels.device)], self._first())

    def to(self, device: torch.device | str) -> ItemsSplit:
        """Return a split whose batches are on ``device``."""
        return ItemsSplit(self.items, self.rows, self.labels.to(device), self._first())

    def batches(self, order: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Go through the given batches; see :meth:`Split.batches`."""
        device = self.labels.device
        for index in order:
            read = [sample(self.items[self.rows[i]], f"item {self.rows[i]}") for i in index.tolist()]
            images = torch.stack([image for image, _ in read])
            yield images.to(device), self.labels[index.to(device)], index.to(device)

    def _first(self) -> Tensor:
        assert isinstance(self.images, Tensor)
        return self.images


class LoaderSplit(Split):
    """The batches of a DataLoader, with its own order, transforms and workers.

    Args:
        loader: the DataLoader.
        labels: of one pass, int64 ``(N,)``.
        first: the first samples of that pass.
        steps: batches of that pass.
    """

    def __init__(self, loader: DataLoader[Any], labels: Tensor, first: Tensor, steps: int) -> None:
        super().__init__(first, labels, steps)
        self.loader = loader

    @property
    def in_memory(self) -> bool:
        """Whether the images are a tensor: they are not."""
        return False

    def subset(self, index: Tensor) -> Split:
        """Return samples of the first pass; there are not more than were kept.

        Raises:
            DataError: more are asked for.
        """
        if len(index) and int(index.max()) >= len(self.images):
            raise DataError(f"a DataLoader gives its samples in turn; only the first {len(self.images)} can be taken")
        return Split(self.images, self.labels[: len(self.images)]).subset(index)

    def to(self, device: torch.device | str) -> LoaderSplit:
        """Return a split whose batches are on ``device``."""
        assert isinstance(self.images, Tensor)
        return LoaderSplit(self.loader, self.labels.to(device), self.images.to(device), self.steps)

    def batches(self, order: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:  # type: ignore[override]
        """Go through the loader's own batches once, whatever ``order`` says; no sample has a number."""
        device = self.labels.device
        for number, batch in enumerate(self.loader):
            x, y = pair(batch, f"batch {number + 1}")
            yield x.to(device), y.to(device), None


def read_once(part: Any, what: str) -> Split:
    """Read a Dataset or a DataLoader once, so that whatever is wrong with it is found before the first step.

    Raises:
        DataError: an item or batch of another kind or shape than the first, or with values that are not finite.
    """
    kept: list[Tensor] = []
    labels: list[Tensor] = []
    shape: tuple[tuple[int, ...], torch.dtype] | None = None
    loads = isinstance(part, DataLoader)
    most = max(_KEPT, part.batch_size or 0) if isinstance(part, DataLoader) else _STATISTICS
    for number, item in enumerate(part if loads else (part[i] for i in range(len(part)))):
        where = f"{what}, {'batch' if loads else 'item'} {number + loads}"
        if loads:
            x, y = pair(item, where)
        else:
            image, label = sample(item, where)
            x, y = image[None], torch.tensor([label])
        shape = shape or (tuple(x.shape[1:]), x.dtype)
        if (tuple(x.shape[1:]), x.dtype) != shape:
            raise DataError(f"{where}: is {x.dtype} {tuple(x.shape[1:])}; expected {shape[1]} {shape[0]} as before")
        if x.is_floating_point() and not x.isfinite().all():
            raise DataError(f"{where}: holds NaN or infinite values")
        if int(y.min()) < 0:
            raise DataError(f"{where}: label {int(y.min())} is negative; expected 0 or more")
        labels.append(y.cpu())
        if sum(map(len, kept)) < most:
            kept.append(x.cpu())
    if not labels:
        raise DataError(f"{what}: there are no samples")
    first, all_labels = torch.cat(kept), torch.cat(labels)
    if isinstance(part, DataLoader):
        return LoaderSplit(part, all_labels, first, len(labels))
    return ItemsSplit(part, range(len(part)), all_labels, first)
