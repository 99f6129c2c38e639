"""The library's own backbones: options, shapes, ownership, what they refuse."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ffzoo.backbones.base import Backbone
from ffzoo.backbones.native import CNNBackbone, MLPBackbone, ResNetBackbone
from ffzoo.backbones.options import CNN, MLP, ResNet, Timm
from ffzoo.errors import OptionError
from tests.backbone_models import check_backbone, detached, last_output

pytestmark = pytest.mark.usefixtures("same_start")

SHAPES = [(1, 8, 8), (1, 28, 28), (3, 32, 32)]


# --- options ------------------------------------------------------------------------------------


def test_options_are_torch_free() -> None:
    code = "import sys, ffzoo.backbones, ffzoo.backbones.options; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("make", [lambda: MLP(0), lambda: CNN(depth=-1), lambda: ResNet(width=2.5), lambda: CNN(True)])
def test_bad_sizes_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(OptionError, match=r"at least 1|expected a whole number"):
        make()


def test_bad_timm_options_are_refused() -> None:
    with pytest.raises(OptionError, match="expected 'auto' or 'stage' or 'block'"):
        Timm(by="stages")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="true or false"):
        Timm(pretrained="yes")  # type: ignore[arg-type]


# --- native -------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(
    kind=st.sampled_from(["mlp", "cnn", "resnet"]),
    width=st.integers(1, 6),
    depth=st.integers(1, 12),
    shape=st.sampled_from([*SHAPES, (2, 5, 9)]),
    batch=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_native_backbones(
    kind: str, width: int, depth: int, shape: tuple[int, int, int], batch: int, seed: int
) -> None:
    torch.manual_seed(seed)
    config = {"mlp": MLP, "cnn": CNN, "resnet": ResNet}[kind](width=width, depth=depth)
    build = {"mlp": MLPBackbone, "cnn": CNNBackbone, "resnet": ResNetBackbone}[kind]
    before = torch.get_rng_state()
    backbone = build(config, shape, generator=torch.Generator().manual_seed(seed))
    assert torch.equal(before, torch.get_rng_state())
    assert backbone.depth == depth and backbone.input_shape == shape
    assert not backbone.normalized and not backbone.copies_at_cuts and not backbone.has_native_head
    x = torch.randn(batch, *shape)
    check_backbone(backbone, x)
    assert torch.equal(last_output(backbone, x), backbone(x))
    assert torch.equal(last_output(copy.deepcopy(backbone), x, detached), backbone(x))
    assert [backbone.weight_layers(l) for l in range(depth)] == (
        [1] + [2] * (depth - 1) if kind == "resnet" else [1] * depth
    )
    same = build(config, shape, generator=torch.Generator().manual_seed(seed))
    assert all(torch.equal(a, b) for a, b in zip(backbone.parameters(), same.parameters(), strict=True))


def test_cnn_widths_and_pools() -> None:
    shapes = CNNBackbone(CNN(32, 8), (3, 32, 32)).feature_shapes
    assert [s[0] for s in shapes] == [32, 32, 64, 64, 128, 128, 128, 128]
    assert [s[1] for s in shapes] == [32, 32, 16, 16, 8, 8, 4, 4]
    assert [s[1] for s in CNNBackbone(CNN(4, 8), (1, 8, 8)).feature_shapes] == [8, 8, 4, 4, 2, 2, 2, 2]
    assert ResNetBackbone(ResNet(8, 4), (3, 32, 32)).feature_shapes == (
        (8, 32, 32),
        (8, 32, 32),
        (16, 16, 16),
        (32, 8, 8),
    )


def test_initial_activations_keep_their_scale() -> None:
    for build in (CNNBackbone, ResNetBackbone):
        config = CNN(32, 16) if build is CNNBackbone else ResNet(32, 16)
        out = build(config, (3, 32, 32))(torch.randn(4, 3, 32, 32))
        assert 0.05 < out.square().mean() < 50


def test_native_blocks_leave_their_input_alone() -> None:
    """Native nets say that a cut needs no copy: a plain detach() must be enough."""
    for backbone in (
        MLPBackbone(MLP(8, 3), (1, 8, 8)),
        CNNBackbone(CNN(4, 8), (1, 8, 8)),
        ResNetBackbone(ResNet(4, 5), (1, 8, 8)),
    ):
        outs: list[tuple[Tensor, Tensor]] = []

        def visit(l: int, out: Tensor, outs: list[Any] = outs, backbone: Backbone = backbone) -> Tensor:
            outs.append((out, out.clone()))
            return backbone.downsample(l + 1, out).detach()

        backbone.walk(torch.randn(2, 1, 8, 8), visit)
        assert all(torch.equal(now, then) for now, then in outs)


def test_native_backbones_refuse_other_inputs() -> None:
    with pytest.raises(OptionError, match=r"\(C, H, W\)"):
        CNNBackbone(CNN(), (64,))
    with pytest.raises(OptionError, match="dimensions"):
        MLPBackbone(MLP(), ())
    with pytest.raises(OptionError, match="no head"):
        MLPBackbone(MLP(), (4,)).native_head(torch.zeros(1, 500))


def test_describe_native() -> None:
    text = MLPBackbone(MLP(10, 2), (1, 8, 8)).describe()
    assert "650" in text and "110" in text and len(text.splitlines()) == 5
