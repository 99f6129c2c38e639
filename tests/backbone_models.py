"""Modules that are cut in tests, and what every backbone is checked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.backbones.base import Backbone

TIMM = {
    "resnet18": 32,
    "vgg11_bn": 32,
    "convnext_atto": 32,
    "vit_tiny_patch16_224": 64,
    "mixer_s32_224": 64,
}


class Chain(nn.Module):
    """conv-BN, then an in-place activation and a second layer."""

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.act = activation
        self.last = nn.Conv2d(8, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.act(self.bn(self.conv(x))))


class Skip(nn.Module):
    """Three layers; ``around`` chooses what skips over a cut."""

    def __init__(self, around: str) -> None:
        super().__init__()
        self.around = around
        self.a = nn.Linear(6, 6)
        self.b = nn.Linear(6, 6)
        self.c = nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        a = self.a(x)
        passed = torch.tanh(a)
        if self.around == "output":
            return self.c(self.b(passed) + passed)
        if self.around == "inside":
            # Of what the cut after ``a`` hands on, nothing: a branch taken before the cut's module.
            return self.c(self.b(passed) + F.linear(x, self.a.weight))
        return self.c(torch.tanh(self.b(passed)))


def detached(out: Any) -> Any:
    return torch.utils._pytree.tree_map(lambda t: t.detach().clone() if isinstance(t, Tensor) else t, out)


def last_output(backbone: Backbone, x: Tensor, change: Callable[[Any], Any] = lambda out: out) -> Any:
    seen = []

    def visit(l: int, out: Any) -> Any:
        assert l == len(seen)
        seen.append(out)
        return change(backbone.downsample(l + 1, out))

    backbone.walk(x, visit)
    assert len(seen) == backbone.depth
    return seen[-1]


def check_backbone(backbone: Backbone, x: Tensor) -> None:
    """Ownership covers the state dict, and a backward at every cut gives one block its gradients."""
    owners = {key: backbone.owner(key) for key in backbone.state_dict()}
    assert set(owners.values()) - {None} == set(range(backbone.depth))
    by_block = [{id(p) for p in backbone.block_parameters(l)} for l in range(backbone.depth)]
    assert all(by_block) and sum(map(len, by_block)) == len(set().union(*by_block))
    names = {id(p): n for n, p in backbone.named_parameters()}

    def visit(l: int, out: Any) -> Any:
        backbone.zero_grad()
        read = backbone.features(l, out)
        assert read.shape == (len(x), *backbone.feature_shapes[l])
        read.square().sum().backward()
        got = {id(p) for p in backbone.parameters() if p.grad is not None}
        assert got <= by_block[l], {names[i] for i in got - by_block[l]}
        assert got
        return detached(backbone.downsample(l + 1, out))

    backbone.walk(x, visit)
    backbone.zero_grad()
