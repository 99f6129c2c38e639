"""What a module that is cut into blocks is asked for, and how it is left as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from ffzoo.errors import PartitionError


class Classifier(Protocol):
    """A model of timm's kind, whose own head comes last."""

    def forward_features(self, x: Tensor) -> Any:
        """Return what the head reads."""

    def forward_head(self, x: Any) -> Tensor:
        """Return scores."""


def is_classifier(model: nn.Module) -> bool:
    """Return whether it has a head of its own, as timm's models have."""
    return hasattr(model, "forward_features") and hasattr(model, "forward_head")


def feature_info(model: nn.Module) -> list[dict[str, Any]]:
    """Return what it says of its feature stages; empty where it says nothing."""
    info = getattr(model, "feature_info", None)
    info = getattr(info, "info", info)
    return [i for i in info if isinstance(i, dict)] if isinstance(info, list | tuple) else []


def body(model: nn.Module, x: Tensor) -> Any:
    """Return the model up to its own head, if it has one."""
    return cast(Classifier, model).forward_features(x) if is_classifier(model) else model(x)


@contextmanager
def buffers_kept(model: nn.Module) -> Iterator[None]:
    """Restore its buffers afterwards."""
    kept = [(b, b.clone()) for b in model.buffers()]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, value in kept:
                buffer.copy_(value)


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Let every parameter require a gradient inside; restore modes, buffers and random generators."""
    modes = [(m, m.training) for m in model.modules()]
    frozen = [p for p in model.parameters() if not p.requires_grad and p.is_floating_point()]
    devices = {t.device for t in model.parameters() if t.is_cuda}
    with torch.random.fork_rng(devices=list(devices)), buffers_kept(model):
        try:
            for p in frozen:
                p.requires_grad_(True)
            yield
        finally:
            for p in frozen:
                p.requires_grad_(False)
            for module, mode in modes:
                module.training = mode


def first_tensor(out: Any) -> Tensor:
    """Return the first tensor of a nested output.

    Raises:
        PartitionError: it has none.
    """
    for leaf in tree_leaves(out):
        if isinstance(leaf, Tensor):
            return leaf
    raise PartitionError(f"a block's output is a {type(out).__name__} without a tensor; expected a tensor")


def copy(value: Any) -> Any:
    """Return a detached copy of a tensor, anything else as it is."""
    return value.detach().clone() if isinstance(value, Tensor) else value


def leaves_behind(out: Any) -> set[int]:
    """Return the identities of the leaf tensors that a backward pass from ``out`` would reach.

    Walking the graph finds what ``autograd.grad`` would, at no cost even for a large head.
    """
    found: set[int] = set()
    seen: set[Any] = set()
    todo = [t.grad_fn for t in tree_leaves(out) if isinstance(t, Tensor)]
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        variable = getattr(node, "variable", None)
        if isinstance(variable, Tensor):
            found.add(id(variable))
        todo.extend(following for following, _ in node.next_functions)
    return found
