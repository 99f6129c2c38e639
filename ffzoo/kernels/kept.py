"""What is kept for a later backward, by autograd or by code that keeps tensors itself."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class Peak:
    """Largest number of bytes kept at one time."""

    bytes: int = 0


class _Meter:
    """Bytes of the distinct storages that are kept right now."""

    def __init__(self, exclude: set[int], peak: Peak) -> None:
        self.kept: Counter[int] = Counter()
        self.sizes: dict[int, int] = {}
        self.exclude = exclude
        self.peak = peak

    def add(self, tensor: Tensor) -> int:
        storage = tensor.untyped_storage()
        key = storage.data_ptr()
        if key in self.exclude:
            return 0
        self.kept[key] += 1
        self.sizes[key] = storage.nbytes()
        self.peak.bytes = max(self.peak.bytes, sum(self.sizes.values()))
        return key

    def drop(self, key: int) -> None:
        self.kept[key] -= 1
        if not self.kept[key]:
            del self.kept[key], self.sizes[key]


class _Kept:
    """What autograd holds instead of the tensor: counted as long as it lives."""

    def __init__(self, tensor: Tensor, meter: _Meter) -> None:
        self.tensor, self.meter, self.key = tensor, meter, meter.add(tensor)

    def __del__(self) -> None:
        if self.key:
            self.meter.drop(self.key)


_METERS: list[_Meter] = []


@contextlib.contextmanager
def saved_activations(model: torch.nn.Module) -> Iterator[Peak]:
    """Measure the peak bytes of distinct storages kept for a later backward, by autograd or :func:`keep`.

    Parameters and buffers of ``model`` do not count: they are there anyway.

    Yields:
        The peak, complete when the block ends.
    """
    tensors = [*model.parameters(), *model.buffers()]
    peak = Peak()
    meter = _Meter({t.untyped_storage().data_ptr() for t in tensors}, peak)
    _METERS.append(meter)
    try:
        with torch.autograd.graph.saved_tensors_hooks(lambda t: _Kept(t, meter), lambda kept: kept.tensor):
            yield peak
    finally:
        _METERS.remove(meter)


def keep(tensor: Tensor) -> object | None:
    """Count a tensor that is kept outside of autograd, for as long as the returned object lives."""
    if torch.compiler.is_compiling():
        return None
    return [_Kept(tensor, meter) for meter in _METERS]
