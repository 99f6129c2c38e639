"""Activation checkpointing of a backbone: recompute instead of keeping what the backward pass needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils._pytree import tree_leaves
from torch.utils.checkpoint import checkpoint

from ffzoo.backbones.base import Backbone
from ffzoo.errors import PartitionError
from ffzoo.kernels.kept import keep

_CHECKPOINTED: dict[type[nn.Module], type[nn.Module]] = {}


@contextmanager
def _recomputing(unit: nn.Module) -> Iterator[None]:
    """Run the second forward of a unit; what it does to running statistics is discarded."""
    kept: list[tuple[_BatchNorm, dict[str, Tensor | None]]] = []
    try:
        for layer in unit.modules():
            if isinstance(layer, _BatchNorm):
                buffers = dict(layer._buffers)
                kept.append((layer, buffers))
                layer._buffers.update({k: None if b is None else b.clone() for k, b in buffers.items()})
        yield
    finally:
        for layer, buffers in kept:
            layer._buffers.update(buffers)


def _checkpointed(cls: type[nn.Module]) -> type[nn.Module]:
    """Subclass of a module's class whose forward is checkpointed.

    Changing the class rather than the instance's ``forward`` keeps ``deepcopy`` right: a copy would
    share a closure over the original instance, and so its weights.
    """
    if cls in _CHECKPOINTED.values():
        return cls
    if cls in _CHECKPOINTED:
        return _CHECKPOINTED[cls]

    def forward(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        run = cls.forward.__get__(self)
        if not torch.is_grad_enabled():
            return run(*args, **kwargs)
        inputs = [(t, t._version) for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        held = [keep(tensor) for tensor, _ in inputs]

        def recomputed(*args: Any, **kwargs: Any) -> Any:
            held  # noqa: B018  kept exactly as long as the inputs are
            return run(*args, **kwargs)

        def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
            return nullcontext(), _recomputing(self)

        out = checkpoint(recomputed, *args, use_reentrant=False, context_fn=contexts, **kwargs)
        if any(tensor._version != version for tensor, version in inputs):
            raise PartitionError(
                f"{type(self).__name__} changes its input in place, so it cannot be computed again in the "
                "backward pass; expected no activation checkpointing for this model"
            )
        return out

    made = type(cls.__name__, (cls,), {"forward": forward, "__module__": cls.__module__})
    _CHECKPOINTED[cls] = made
    return made


def checkpoint_blocks(backbone: Backbone) -> None:
    """Make every block recompute its activations in the backward pass instead of keeping them.

    Changes the modules of :meth:`Backbone.checkpoint_units` in place; gradients, running statistics and
    state-dict keys stay what they were. Twice is the same as once. A block without such units (a bare
    chain of layers in which cuts lie) keeps its activations.

    Args:
        backbone: the backbone to change.

    Raises:
        PartitionError: in a later forward pass, when a unit changes its input in place.
    """
    for l in range(backbone.depth):
        for unit in backbone.checkpoint_units(l):
            unit.__class__ = _checkpointed(type(unit))
