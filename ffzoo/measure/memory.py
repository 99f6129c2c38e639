"""Saved activations and floating-point operations of one training step, counted, not timed."""

from __future__ import annotations

import contextlib
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from ffzoo.algorithm import Algorithm, Batch


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


@contextlib.contextmanager
def saved_activations(model: torch.nn.Module) -> Iterator[Peak]:
    """Measure the peak bytes of distinct storages that autograd keeps for a later backward.

    Parameters and buffers of ``model`` do not count: they are there anyway.

    Yields:
        The peak, complete when the block ends.
    """
    tensors = [*model.parameters(), *model.buffers()]
    peak = Peak()
    meter = _Meter({t.untyped_storage().data_ptr() for t in tensors}, peak)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: _Kept(t, meter), lambda kept: kept.tensor):
        yield peak


@dataclass(frozen=True)
class StepCost:
    """Cost of one training step.

    Attributes:
        saved_activation_bytes: peak bytes kept for a later backward.
        flops: floating-point operations of matrix products and convolutions, forward and backward.
    """

    saved_activation_bytes: int
    flops: int


def step_cost(algorithm: Algorithm, batch: Batch) -> StepCost:
    """Measure one step on a copy; the algorithm itself and the random state stay as they are."""
    twin = copy.deepcopy(algorithm)
    with torch.random.fork_rng(devices=[]), saved_activations(twin) as peak, FlopCounterMode(display=False) as flops:
        twin.train_step(batch)
    return StepCost(peak.bytes, flops.get_total_flops())
