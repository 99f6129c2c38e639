"""Batch statistics when several views of the input are forwarded as one batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ffzoo.errors import DataError, OptionError


def has_batch_statistics(module: nn.Module) -> bool:
    """Return whether a module contains a batch normalization layer (``torch.nn``'s or a subclass of it)."""
    return any(isinstance(m, _BatchNorm) for m in module.modules())


def _split_forward(layer: _BatchNorm, parts: int) -> Callable[[Tensor], Tensor]:
    whole = layer.forward

    def forward(x: Tensor) -> Tensor:
        if not layer.training and layer.running_mean is not None:
            return whole(x)
        if x.shape[0] % parts:
            raise OptionError(f"a batch of {x.shape[0]} cannot be split into {parts} equal parts")
        return torch.cat([whole(chunk) for chunk in x.chunk(parts)])

    return forward


@contextmanager
def split_statistics(module: nn.Module, parts: int) -> Iterator[None]:
    """Inside the context, batch normalization sees a batch as ``parts`` separate ones.

    Views that are concatenated along the batch are normalized as if each had been forwarded alone:
    each chunk has its own statistics and updates the running ones in turn. Layers that use running
    statistics (evaluation) are unaffected.

    Args:
        module: every batch normalization layer in it is concerned.
        parts: number of equal chunks; 1 changes nothing.

    Raises:
        OptionError: ``parts`` is below 1, or (in a forward pass) does not divide the batch.
    """
    if parts < 1:
        raise OptionError(f"parts is {parts}; expected at least 1")
    layers = [m for m in module.modules() if isinstance(m, _BatchNorm)] if parts > 1 else []
    try:
        for layer in layers:
            layer.__dict__["forward"] = _split_forward(layer, parts)
        yield
    finally:
        for layer in layers:
            layer.__dict__.pop("forward", None)


@contextmanager
def enough_values(samples: int) -> Iterator[None]:
    """Say in words that a batch is too small for batch statistics.

    Args:
        samples: in the batch.

    Raises:
        DataError: torch found one value per channel.
    """
    try:
        yield
    except ValueError as error:
        if "Expected more than 1" not in str(error):
            raise
        raise DataError(
            f"a batch of {samples} leaves batch normalization one value per channel, which has no spread; expected "
            "larger batches, and for a last one that is not full DataLoader(drop_last=True)"
        ) from error


@contextmanager
def buffers_untouched(module: nn.Module) -> Iterator[None]:
    """Inside the context a module updates copies of its buffers, which are dropped afterwards.

    The originals come back as objects: writing old values into them would invalidate a graph that is
    still to be walked.
    """
    kept = [(m, dict(m._buffers)) for m in module.modules() if m._buffers]
    try:
        for m, buffers in kept:
            m._buffers.update({name: None if b is None else b.clone() for name, b in buffers.items()})
        yield
    finally:
        for m, buffers in kept:
            m._buffers.update(buffers)
