"""A module of the user's as a backbone: cut at its top-level children, its own classifier head left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from ffzoo.backbones.foreign import is_classifier, undisturbed
from ffzoo.backbones.partition import check_runs, cuts_after, partition
from ffzoo.backbones.partitioned import Cut, Partition
from ffzoo.errors import PartitionError

HEADS = ("fc", "head", "heads", "classifier")
"""Names of top-level children that are classifier heads wherever they run last."""

_POOLS = (
    *(nn.Flatten, nn.Dropout, nn.AvgPool1d, nn.AvgPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d),
    *(nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d),
)
_LISTS = (nn.ModuleList, nn.ModuleDict)  # they hold children and never run
_ACTIVATIONS = ("relu", "leaky_relu", "gelu", "silu", "elu", "hardtanh", "hardswish", "threshold")
_VIEWS = ("detach", "clone", "alias", "view", "_unsafe_view", "empty_like", "copy", "to", "_to_copy")


def module_backbone(
    model: nn.Module, input_shape: tuple[int, ...], num_classes: int, by: Sequence[str] = (), name: str = ""
) -> Partition:
    """Cut a module into blocks at its top-level children, without its own head.

    A block begins with a child that has weights and ends before the next one, so that norms, activations and pooling
    belong to the weights before them, whether they are modules or plain functions. Where one child holds all weights
    its own children count. Children that exchange more than an output become one block. A timm model is cut as
    :func:`~ffzoo.backbones.partition.partition` cuts it.

    Args:
        model: any module; it is not changed.
        input_shape: shape of one input, without the batch.
        num_classes: K, the width by which a head without a telling name is found.
        by: names of modules to cut after, in place of the children.
        name: what messages and tables call it; the class's name by default.

    Returns:
        The verified partition; its ``notes`` say what was found.

    Raises:
        PartitionError: the model cannot run on such inputs, or cannot be cut.
    """
    name = name or type(model).__name__
    if next(model.parameters(), None) is None:
        raise PartitionError(f"{name} has no parameters; expected a module with weights")
    like = next(model.parameters())
    generator = torch.Generator().manual_seed(0)
    example = torch.randn(2, *input_shape, generator=generator).to(like.device, like.dtype)
    if is_classifier(model):
        built = partition(model, by or "auto", example, name)
        built.notes = ("head: the model's own is left out of the blocks",)
        return built
    check_runs(model, example, name)
    seen = _Seen.of(model, example)
    head, how = _head(model, seen, num_classes)
    children = _children(model, seen, head)
    end = _end(model, seen, children, head) if head else None
    if by:
        cuts = cuts_after(model, by, example, name)
        if end is not None:
            cuts = [cut for cut in cuts if cut.module in seen.before(end.module)]
        labels = [*(cut.module for cut in cuts), end.module if end else "end"]
        way = "names"
    else:
        cuts, labels, way = [Cut(child, "before") for child in children[1:]], children, "its children"
    if not cuts:
        raise PartitionError(
            f"{name} has weights in one child only ({', '.join(children) or 'none'}), which makes one block; "
            "expected at least two blocks, or names of modules to cut after, as backbone.by=[...]"
        )
    notes = [how]
    try:
        built = Partition(model, cuts, labels, example, name, way, end)
    except PartitionError:
        kept = [] if by else [cut for cut in cuts if _separates(model, cut, example, name, end)]
        if not kept:
            raise
        joined = [cut.module for cut in cuts if cut not in kept]
        more = f" and {len(joined) - 3} more" if len(joined) > 3 else ""
        notes.append(
            f"joined to what runs before, with which they exchange more than an output: {', '.join(joined[:3])}{more}"
        )
        labels = [labels[0], *(cut.module for cut in kept)]
        built = Partition(model, kept, labels, example, name, way, end)
    built.notes = (*notes, *_activations(built, example))
    return built


@dataclass
class _Seen:
    """What one pass showed: modules in the order in which they began, and the widths of their outputs."""

    order: list[str] = field(default_factory=list)
    width: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, model: nn.Module, example: Tensor) -> _Seen:
        seen, handles = cls(), []
        for key, module in model.named_modules():
            handles.append(
                module.register_forward_pre_hook(lambda *_, k=key: None if k in seen.order else seen.order.append(k))
            )
            handles.append(module.register_forward_hook(lambda _, __, out, k=key: seen.note(k, out)))
        try:
            with undisturbed(model), torch.no_grad():
                model.eval()
                model(example)
        finally:
            for handle in handles:
                handle.remove()
        return seen

    def note(self, key: str, out: Any) -> None:
        if isinstance(out, Tensor) and out.dim() > 1:
            self.width[key] = out.shape[1]

    def before(self, key: str) -> list[str]:
        """Return what began before a module did, without the modules around it."""
        return [k for k in self.order[: self.order.index(key)] if not key.startswith(f"{k}.") and k]


def _head(model: nn.Module, seen: _Seen, num_classes: int) -> tuple[str, str]:
    """Return the name of the model's own head and how it was found; an empty name where there is none."""
    leaves = [k for k in seen.order if k and any(p.dim() > 1 for p in model.get_submodule(k).parameters(False))]
    if not leaves:
        return "", ""
    last = leaves[-1]
    found, how = "", ""
    get = getattr(model, "get_classifier", None)
    given = get() if callable(get) else None
    names = [k for k, module in model.named_modules() if module is given and k in seen.order]
    if names and last in (names[0], *(k for k in leaves if k.startswith(f"{names[0]}."))):
        found, how = names[0], "get_classifier() returns it"
    elif last.split(".")[0] in HEADS and last.split(".")[0] in seen.order:
        found, how = last.split(".")[0], "by its name"
    elif seen.width.get(last) == num_classes:
        found, how = last, f"by its width, {num_classes} classes"
    if not found or all(leaf == found or leaf.startswith(f"{found}.") for leaf in leaves):
        return "", f"head: none found, so that {last!r} belongs to the last block"
    return found, f"head: {found!r} ({seen.width.get(found, '?')} outputs, found {how}) is left out of the blocks"


def _children(model: nn.Module, seen: _Seen, head: str) -> list[str]:
    """Return the children that blocks begin with, in the order in which they run."""

    def of(path: str) -> Iterator[str]:
        prefix = f"{path}." if path else ""
        for key, child in model.get_submodule(path).named_children():
            if isinstance(child, _LISTS):
                yield from of(prefix + key)
            else:
                yield prefix + key

    def begins(key: str) -> bool:
        body = [k for k, module in model.get_submodule(key).named_modules(prefix=key) if _own_weights(module)]
        return any(k != head and not k.startswith(f"{head}.") for k in body) if head else bool(body)

    path = ""
    while True:
        found = [key for key in of(path) if key in seen.order and begins(key)]
        if len(found) != 1 or next(model.get_submodule(found[0]).children(), None) is None:
            return sorted(found, key=seen.order.index)
        path = found[0]


def _own_weights(module: nn.Module) -> bool:
    return any(p.dim() > 1 for p in module.parameters(recurse=False))


def _end(model: nn.Module, seen: _Seen, children: list[str], head: str) -> Cut:
    """Return where the last block ends: before the pooling that leads to the head, or before the head."""
    last = seen.order.index(children[-1])
    inside = f"{children[-1]}."
    for key in seen.order[last + 1 : seen.order.index(head)]:
        if not key.startswith(inside) and isinstance(model.get_submodule(key), _POOLS):
            return Cut(key, "before")
    return Cut(head, "before")


def _separates(model: nn.Module, cut: Cut, example: Tensor, name: str, end: Cut | None) -> bool:
    """Return whether nothing but a block's output passes a cut."""
    try:
        Partition(model, [cut], ["", ""], example, name, "", end)
    except PartitionError:
        return False
    return True


class _FirstOperations(TorchDispatchMode):
    """Notes the first operation of each block."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: int | None = None
        self.first: dict[int, str] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if self.waiting is not None and name not in _VIEWS:
            self.first[self.waiting], self.waiting = name.rstrip("_"), None
        return func(*args, **(kwargs or {}))


def _activations(built: Partition, example: Tensor) -> list[str]:
    """Return a note for each block that begins with an activation: the goodness before it reads what comes in."""
    operations = _FirstOperations()

    def visit(l: int, out: Any) -> Any:
        operations.waiting = l + 1 if l + 1 < built.depth else None
        return out

    with undisturbed(built.model), torch.no_grad(), operations:
        built.model.eval()
        built.walk(example, visit)
    return [
        f"note: block {l + 1} begins with {name}, so that block {l} is read and scored before its activation"
        for l, name in sorted(operations.first.items())
        if name in _ACTIVATIONS
    ]
