"""What a backbone has to keep."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from ffzoo.algorithms.build import backbone_config, create_backbone
from ffzoo.backbones.base import Backbone
from ffzoo.errors import FFZooError
from ffzoo.measure.locality import same_bits
from ffzoo.testing.part_cases import MAPS, close, generator_of, some_rows
from ffzoo.testing.strategies import Case, seeded, unlike
from ffzoo.testing.subjects import Draws, Refused, Subject


def _backbone(subject: Subject, case: Case) -> Backbone:
    """Return the named backbone, small if it has a width and a depth."""
    name = subject.name.partition(":")[2]
    config = backbone_config(name)
    if config is not None:
        known = {f.name for f in dataclasses.fields(config)}
        changes = {"width": case.width, "depth": case.depth}
        config = dataclasses.replace(config, **{k: v for k, v in changes.items() if k in known})
    try:
        with seeded(case.seed):
            return create_backbone(name, _input_shape(subject, case), case.num_classes, config)
    except FFZooError as error:
        raise Refused(str(error)) from error


def _input_shape(subject: Subject, case: Case) -> tuple[int, ...]:
    """Enlarge the inputs of models by name, whose strides leave nothing of 8 px."""
    return (3, 32, 32) if subject.name.count(":") > 1 else case.shape


def _input(subject: Subject, case: Case) -> Tensor:
    return torch.randn(case.batch_size, *_input_shape(subject, case), generator=generator_of(case))


def _walk(backbone: Backbone, x: Tensor) -> list[Any]:
    """Return each block's output when detached copies are passed on."""
    outputs: list[Any] = []

    def visit(l: int, out: Any) -> Any:
        outputs.append(out)
        given = tree_map(lambda t: t.detach().clone() if isinstance(t, Tensor) else t, out)
        return backbone.downsample(l + 1, given)

    backbone.walk(x, visit)
    return outputs


def backbone_shapes(subject: Subject, draws: Draws) -> None:
    """Check that features have the announced shapes, are finite and deterministic, and leave the input unmodified."""

    def test(case: Case) -> None:
        backbone = _backbone(subject, case).eval()
        with torch.no_grad():
            x = _input(subject, case)
            kept = x.clone()
            maps = [backbone.features(l, out).clone() for l, out in enumerate(_walk(backbone, x))]
            assert len(maps) == backbone.depth, f"{len(maps)} blocks were walked, {backbone.depth} announced"
            for l, (h, shape) in enumerate(zip(maps, backbone.feature_shapes, strict=True)):
                assert h.shape == (len(x), *shape), f"block {l + 1}: {tuple(h.shape)[1:]}, announced as {shape}"
                assert h.isfinite().all(), f"block {l + 1}: features are not finite"
            assert same_bits(x, kept), "the walk changes its input"
            again = [backbone.features(l, out) for l, out in enumerate(_walk(backbone, x))]
            assert all(map(same_bits, maps, again)), "the same input gave two results"
            some = some_rows(case)
            fewer = [backbone.features(l, out) for l, out in enumerate(_walk(backbone, x[some]))]
            assert all(close(a, b[some]) for a, b in zip(fewer, maps, strict=True)), "rows depend on each other"
            alone = backbone.features(backbone.depth - 1, _walk(backbone, x[:1])[-1])
            assert close(alone, maps[-1][:1]), "a single sample has other features than in a batch"
            whole = backbone.features(backbone.depth - 1, backbone(x))
            assert close(whole, maps[-1]), "forward() and walk() end differently"

    draws.each(test, MAPS)


def backbone_owners(subject: Subject, draws: Draws) -> None:
    """Check that every tensor of the state has an owner, and every owned parameter is in exactly one block."""

    def test(case: Case) -> None:
        backbone = _backbone(subject, case)
        for key in backbone.state_dict():
            owner = backbone.owner(key)
            assert owner is None or 0 <= owner < backbone.depth, f"owner({key!r}) is {owner}"
        listed = [id(p) for l in range(backbone.depth) for p in backbone.block_parameters(l)]
        owned = [id(p) for name, p in backbone.named_parameters() if backbone.owner(name) is not None]
        assert sorted(listed) == sorted(owned), "block_parameters() and owner() disagree"
        for l in range(backbone.depth):
            assert backbone.block_parameters(l), f"block {l + 1} has no parameters"
        assert backbone.describe(), "describe() says nothing"

    draws.each(test, MAPS)


def backbone_isolated(subject: Subject, draws: Draws) -> None:
    """Check that a block's features have a gradient on that block alone when detached copies are passed on."""

    def test(case: Case) -> None:
        backbone = _backbone(subject, case).double()
        reached: set[int] = set()
        with seeded(case.seed):
            outputs = _walk(backbone, _input(subject, case).double())
        names = dict(backbone.named_parameters())
        for l, out in enumerate(outputs):
            h = backbone.features(l, out)
            total = (h * unlike(h, case.seed)).sum()
            gradients = torch.autograd.grad(total, list(names.values()), retain_graph=True, allow_unused=True)
            hit = {backbone.owner(name) for name, g in zip(names, gradients, strict=True) if g is not None}
            assert hit <= {l}, f"the gradient of block {l + 1} reaches {sorted(map(str, hit - {l}))} (from 0)"
            reached |= {l for g in gradients if g is not None and g.any()}
        assert len(reached) == backbone.depth, "a block's features have no gradient on its own parameters"

    draws.each(test, MAPS)


def backbone_copies(subject: Subject, draws: Draws) -> None:
    """Check that a deep copy, and a fresh instance with the same state, give the same features."""

    def test(case: Case) -> None:
        backbone = _backbone(subject, case).eval()
        fresh = _backbone(subject, dataclasses.replace(case, seed=case.seed + 1)).eval()
        fresh.load_state_dict(backbone.state_dict())
        with torch.no_grad():
            x = _input(subject, case)
            h = backbone.features(backbone.depth - 1, backbone(x)).clone()
            for name, other in (("a deep copy", copy.deepcopy(backbone)), ("a loaded instance", fresh)):
                same = same_bits(other.features(other.depth - 1, other(x)), h)
                assert same, f"{name} gives other features"

    draws.each(test, MAPS)
