"""Any module as a backbone: where to cut it into blocks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from ffzoo.backbones.foreign import body, feature_info, is_classifier, undisturbed
from ffzoo.backbones.partitioned import Cut, Partition
from ffzoo.errors import PartitionError, nearest


def partition(
    model: nn.Module,
    by: Literal["auto", "stage", "block"] | Sequence[str],
    example: Tensor,
    name: str = "",
) -> Partition:
    """Cut a module into blocks.

    Args:
        model: any module; ``by="stage"``, ``"block"`` and ``"auto"`` need a timm classifier, whose own
            head then belongs to no block.
        by: ``"stage"`` cuts after timm's feature stages, ``"block"`` before its layer groups, ``"auto"``
            tries stage, then block; a list of module names cuts after each of them (the rest of the
            model is the last block). A stage or group without weights joins its neighbour.
        example: inputs, ``(B, *input_shape)``; the split is verified on two of them.
        name: what messages and tables call it; the class's name by default.

    Returns:
        The verified partition. It holds ``model`` itself, unchanged.

    Raises:
        PartitionError: the model cannot be cut so, with the reason and the choices.
    """
    name = name or type(model).__name__
    if example.ndim < 2 or example.shape[0] < 1:
        raise PartitionError(f"{name}: the example has shape {tuple(example.shape)}; expected (B, ...)")
    check_runs(model, example, name)
    if not isinstance(by, str):
        cuts = cuts_after(model, by, example, name)
        labels = [*(c.module for c in cuts), "end"]
        return _build(model, cuts, labels, example, name, "names", merge_inner=False)
    if by not in ("auto", "stage", "block"):
        raise PartitionError(f"{name}: by is {by!r}; {nearest(by, ('auto', 'stage', 'block'))}")
    if not is_classifier(model):
        raise PartitionError(
            f"{name} is not a timm classifier, so by={by!r} has no meaning for it; expected a list of module "
            f"names to cut after, such as {_candidates(model)}"
        )
    reasons = []
    for way in ("stage", "block") if by == "auto" else (by,):
        try:
            cuts = _stage_cuts(model, example) if way == "stage" else _block_cuts(model, example)
            labels = [c.module for c in cuts]
            labels = [*labels, "end"] if way == "stage" else ["stem", *labels]
            return _build(model, cuts, labels, example, name, way, merge_inner=True)
        except PartitionError as error:
            reasons.append(f"by {way}: {str(error).removeprefix(f'{name}: ')}")
    others = {"stage": "'block' or ", "block": "'stage' or "}.get(by, "")
    raise PartitionError(
        f"{name} cannot be cut ({'; '.join(reasons)}); expected {others}a list of module names to cut after, "
        f"such as {_candidates(model)}"
    )


def check_runs(model: nn.Module, example: Tensor, name: str) -> None:
    """Run a module once, in evaluation mode.

    Raises:
        PartitionError: it cannot take such inputs.
    """
    try:
        with undisturbed(model), torch.no_grad():
            model.eval()
            model(example.detach()[[0, -1]])
    except Exception as error:
        shape = tuple(example.shape[1:])
        raise PartitionError(f"{name} cannot run on inputs of shape {shape}: {_short(error)}") from error


def _build(
    model: nn.Module,
    cuts: list[Cut],
    labels: list[str],
    example: Tensor,
    name: str,
    by: str,
    *,
    merge_inner: bool,
) -> Partition:
    """Return a partition in which every block has weights: a block without any joins the one before it."""
    built = Partition(model, cuts, labels, example, name, by)
    layers = [built.weight_layers(l) for l in range(built.depth)]
    if merge_inner:
        empty = [l for l, count in enumerate(layers) if not count]
    else:
        # Cuts the user named stay, but for one at the very end of the model.
        sizes = [len(built.block_parameters(l)) for l in range(built.depth)]
        if 0 in sizes[:-1]:
            raise PartitionError(
                f"{name}: block {sizes.index(0) + 1} (up to {labels[sizes.index(0)]!r}) has no parameters; "
                f"expected cuts with weights between them, such as {_candidates(model)}"
            )
        empty = [] if sizes[-1] else [built.depth - 1]
    if not empty:
        return built
    if len(empty) == built.depth:
        raise PartitionError(f"{name} has no weights between its cuts; expected a model with weights")
    kept = [l for l in range(built.depth) if l not in empty]
    # A kept block begins where its run begins; what precedes the first kept one joins it.
    cuts = [cuts[l - 1] for l in kept[1:]]
    return Partition(model, cuts, [labels[l] for l in kept], example, name, by)


def _stage_cuts(model: nn.Module, example: Tensor) -> list[Cut]:
    names = [str(info["module"]) for info in feature_info(model) if info.get("module")]
    if not names:
        raise PartitionError("the model lists no feature stages")
    known = dict(model.named_modules())
    missing = [n for n in names if n not in known]
    if missing:
        raise PartitionError(f"its feature stages name {missing[0]!r}, which is not a module")
    return _cuts_after(model, names, example)


def _block_cuts(model: nn.Module, example: Tensor) -> list[Cut]:
    """Return a cut before the first module that lies wholly inside a layer group, for each group after the first."""
    matcher = getattr(model, "group_matcher", None)
    if matcher is None:
        raise PartitionError("the model defines no layer groups")
    from timm.models import group_parameters

    group_of: dict[str, int] = group_parameters(model, matcher(coarse=False), reverse=True)
    weighty = {group_of[n] for n, p in model.named_parameters() if n in group_of and p.ndim >= 2}
    inside: dict[str, int] = {}
    for module_name, module in model.named_modules():
        prefix = f"{module_name}." if module_name else ""
        groups = {group_of.get(prefix + n, -1) for n, _ in module.named_parameters()}
        if len(groups) == 1 and groups <= weighty:
            inside[module_name] = groups.pop()
    cuts: list[Cut] = []
    seen: set[int] = set()
    for module_name in _running_order(model, inside, example, by="start"):
        group = inside[module_name]
        if group not in seen:
            if seen:
                cuts.append(Cut(module_name, "before"))
            seen.add(group)
    if not cuts:
        raise PartitionError("its layer groups make a single block")
    return cuts


def _running_order(
    model: nn.Module, names: Iterable[str], example: Tensor, *, by: Literal["start", "end"]
) -> list[str]:
    """Return those of the named modules that ran before the head, in the order of their first start or end."""
    order: dict[str, None] = {}
    handles = []
    try:
        for n in names:
            module = model.get_submodule(n)
            register = module.register_forward_pre_hook if by == "start" else module.register_forward_hook
            handles.append(register(lambda *_, n=n: order.setdefault(n)))
        with undisturbed(model), torch.no_grad():
            model.eval()
            body(model, example.detach()[[0, -1]])
    finally:
        for handle in handles:
            handle.remove()
    return list(order)


def _cuts_after(model: nn.Module, names: Sequence[str], example: Tensor) -> list[Cut]:
    ordered = _running_order(model, names, example, by="end")
    for n in names:
        if n not in ordered:
            raise PartitionError(f"module {n!r} does not run before the head; expected modules that run once")
    return [Cut(n, "after") for n in ordered]


def cuts_after(model: nn.Module, names: Sequence[str], example: Tensor, name: str) -> list[Cut]:
    """Return cuts after the named modules, in the order in which these run.

    Raises:
        PartitionError: a name that the model does not have, or one that does not run before the head.
    """
    return _cuts_after(model, _checked_names(model, names, name), example)


def _checked_names(model: nn.Module, names: Sequence[str], name: str) -> list[str]:
    known = [n for n, _ in model.named_modules() if n]
    for n in names:
        if n not in known:
            raise PartitionError(f"{name} has no module {n!r}; {nearest(str(n), known)}")
    if not names or len(set(names)) != len(names):
        raise PartitionError(f"{name}: cuts are {list(names)}; expected distinct module names")
    return list(names)


def _candidates(model: nn.Module) -> list[str]:
    """Return a few module names worth cutting after: the outermost ones that have parameters."""
    children = [n for n, m in model.named_children() if next(m.parameters(), None) is not None]
    if len(children) < 3:
        children = [
            f"{n}.{k}"
            for n, m in model.named_children()
            for k, child in m.named_children()
            if next(child.parameters(), None) is not None
        ] or children
    return children[:6]


def _short(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return re.sub(r"\s+", " ", lines[0])[:200] if lines else type(error).__name__
