"""Blocks computed again in the backward pass, and batch statistics of each view by itself."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from ffzoo.backbones.base import Backbone
from ffzoo.backbones.batchnorm import has_batch_statistics, split_statistics
from ffzoo.backbones.checkpointing import checkpoint_blocks
from ffzoo.backbones.native import CNNBackbone, ResNetBackbone
from ffzoo.backbones.options import CNN, ResNet, Timm
from ffzoo.backbones.partition import partition
from ffzoo.backbones.partitioned import Partition
from ffzoo.backbones.timm_source import timm_backbone
from ffzoo.errors import OptionError, PartitionError
from tests.backbone_models import detached, last_output

pytestmark = pytest.mark.usefixtures("same_start")


# --- activation checkpointing -----------------------------------------------------------------------


def held_bytes(backbone: Backbone, x: Tensor) -> int:
    """Bytes of distinct storages kept for one backward pass through the whole chain."""
    own = {p.untyped_storage().data_ptr() for p in backbone.parameters()}
    kept: dict[int, int] = {}

    def keep(t: Tensor) -> Tensor:
        storage = t.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return t

    units = [u for l in range(backbone.depth) for u in backbone.checkpoint_units(l)]
    # A checkpointed unit keeps its input outside of autograd.
    hooks = [u.register_forward_pre_hook(lambda m, args: (keep(args[0]), None)[1]) for u in units]
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        out = backbone(x)
    for hook in hooks:
        hook.remove()
    assert out.requires_grad
    return sum(kept.values())


def gradients(backbone: Backbone, x: Tensor) -> list[Tensor | None]:
    backbone.zero_grad()
    torch.manual_seed(3)
    last_output(backbone, x).square().sum().backward()
    return [p.grad for p in backbone.parameters()]


@pytest.mark.parametrize("kind", ["resnet", "resnet18", "vit_tiny_patch16_224"])
def test_checkpointing(kind: str, timm_model: Callable[[str], Partition]) -> None:
    backbone = ResNetBackbone(ResNet(8, 6), (3, 32, 32)) if kind == "resnet" else timm_model(kind)
    plain = copy.deepcopy(backbone).train()
    saving = copy.deepcopy(plain)
    checkpoint_blocks(saving)
    checkpoint_blocks(saving)
    saving = copy.deepcopy(saving)
    assert list(saving.state_dict()) == list(plain.state_dict())
    x = torch.randn(4, *backbone.input_shape)
    for a, b in zip(gradients(plain, x), gradients(saving, x), strict=True):
        assert (a is None) == (b is None)
        if a is not None and b is not None:
            torch.testing.assert_close(a, b)
    for (key, a), b in zip(plain.state_dict().items(), saving.state_dict().values(), strict=True):
        assert torch.equal(a, b), key
    assert held_bytes(saving, x) < 0.7 * held_bytes(plain, x)


def test_checkpointed_copy_uses_its_own_weights() -> None:
    backbone = CNNBackbone(CNN(4, 3), (1, 8, 8))
    checkpoint_blocks(backbone)
    once = type(backbone.blocks[0])
    checkpoint_blocks(backbone)
    assert type(backbone.blocks[0]) is once
    twin = copy.deepcopy(backbone)
    x = torch.randn(2, 1, 8, 8)
    before = backbone(x)
    with torch.no_grad():
        twin.blocks[0].conv.weight.zero_()
    assert torch.equal(backbone(x), before) and not torch.equal(twin(x), before)
    assert type(backbone.blocks[0]).__name__ == "ConvBlock"


class InPlaceUnit(nn.Module):
    """Changes its input, which a second forward would read."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.mul_(2))


def test_checkpointing_refuses_changed_inputs() -> None:
    x = torch.randn(2, 4)
    model = nn.Sequential(nn.Linear(4, 4), nn.Sequential(InPlaceUnit(), nn.ReLU()))
    backbone = partition(model, ["0"], x)
    checkpoint_blocks(backbone)
    with pytest.raises(PartitionError, match="in place"):
        last_output(backbone, x, detached)


# --- batch statistics -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_b0"])
def test_split_statistics_equal_separate_forwards(name: str) -> None:
    # efficientnet: timm's BatchNormAct2d. Its stochastic parts are off by default.
    # In double precision: at 1x1 maps normalization magnifies what the order of a sum rounds away.
    backbone = timm_backbone(Timm(), name, (3, 32, 32)).double().train()
    assert has_batch_statistics(backbone)
    apart, together = copy.deepcopy(backbone), copy.deepcopy(backbone)
    views = [torch.randn(4, 3, 32, 32).double(), 2 * torch.randn(4, 3, 32, 32).double() + 1]
    with torch.no_grad():
        expected = torch.cat([last_output(apart, v) for v in views])
        with split_statistics(together, 2):
            torch.testing.assert_close(last_output(together, torch.cat(views)), expected)
        for (key, a), b in zip(apart.state_dict().items(), together.state_dict().values(), strict=True):
            torch.testing.assert_close(a, b, msg=key)
        joint = last_output(backbone, torch.cat(views))
        assert not torch.allclose(joint, expected, rtol=1e-2, atol=1e-2)
        # Left behind: nothing. In evaluation: no effect.
        torch.testing.assert_close(last_output(together.eval(), views[0][:3]), last_output(apart.eval(), views[0][:3]))
        with split_statistics(together, 2):
            torch.testing.assert_close(last_output(together, views[0][:3]), last_output(apart, views[0][:3]))


def test_split_statistics_limits() -> None:
    norm = nn.Sequential(nn.BatchNorm1d(3))
    x = torch.randn(5, 3)
    with split_statistics(norm, 1):
        assert "forward" not in norm[0].__dict__
    with pytest.raises(OptionError, match="equal parts"), split_statistics(norm, 2):
        norm(x)
    assert "forward" not in norm[0].__dict__
    with pytest.raises(OptionError, match="at least 1"), split_statistics(norm, 0):
        pass
    assert not has_batch_statistics(nn.Sequential(nn.GroupNorm(1, 3)))
