"""The whitened backbone: its stem, shapes, ownership and initial weights."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.algorithms.build import create_backbone
from ffzoo.backbones.base import Backbone
from ffzoo.backbones.batchnorm import has_batch_statistics
from ffzoo.backbones.native import CNNBackbone
from ffzoo.backbones.options import CNN, WhitenedCNN
from ffzoo.backbones.whitened import BiasedBatchNorm, WhitenedCNNBackbone
from ffzoo.errors import OptionError

SMALL = (6, 6, 10, 10, 10, 12)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small(convs_per_block: int = 1, seed: int = 0, shape: tuple[int, int, int] = (3, 16, 16)) -> WhitenedCNNBackbone:
    return WhitenedCNNBackbone(WhitenedCNN(SMALL, convs_per_block), shape, generator(seed))  # type: ignore[arg-type]


def correlated(batch: int = 200, side: int = 12) -> Tensor:
    """Images whose neighbouring pixels and channels are alike, as natural ones' are."""
    noise = 10 * torch.randn(batch, 3, side + 2, side + 2, generator=generator(3))
    smooth = F.avg_pool2d(noise, 3, stride=1)
    mix = torch.tensor([[1.0, 0.9, 0.8], [0.0, 0.3, 0.2], [0.0, 0.0, 0.2]])
    return torch.einsum("bchw,cd->bdhw", smooth, mix) + 4


def whitened(backbone: Backbone, x: Tensor) -> Tensor:
    """The positive half of the stem's outputs before its GELU, one row a patch: ``(N, 4C)``."""
    out = F.conv2d(x, backbone.get_buffer("blocks.0.stem.weight"))
    return out[:, : out.shape[1] // 2].permute(0, 2, 3, 1).flatten(0, 2)


def test_a_calibrated_stem_whitens_the_patches() -> None:
    backbone, x = small(shape=(3, 12, 12)), correlated()
    before = whitened(backbone, x).T.cov()
    assert (before - torch.eye(12)).abs().max() > 0.5
    backbone.calibrate(x)
    after = whitened(backbone, x).T.cov()
    assert (after - torch.eye(12)).abs().max() < 0.05
    weight = backbone.get_buffer("blocks.0.stem.weight")
    assert weight.shape == (24, 3, 2, 2) and torch.equal(weight[12:], -weight[:12])
    # Directions, not only lengths: the filters times their lengths are orthogonal.
    rows = F.normalize(weight[:12].flatten(1), dim=1)
    torch.testing.assert_close(rows @ rows.T, torch.eye(12), atol=1e-5, rtol=0)


def test_calibration_is_a_closed_form_of_the_images() -> None:
    """The same images give the same filters; their order, the batch and the train mode do not matter."""
    x = correlated(700)  # more than are unfolded at once
    first, second = small(shape=(3, 12, 12)), small(seed=9, shape=(3, 12, 12)).eval()
    first.calibrate(x)
    before = torch.get_rng_state()
    second.calibrate(x)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first.get_buffer("blocks.0.stem.weight"), second.get_buffer("blocks.0.stem.weight"))
    second.calibrate(x.flip(0))
    torch.testing.assert_close(
        first.get_buffer("blocks.0.stem.weight"), second.get_buffer("blocks.0.stem.weight"), rtol=1e-3, atol=1e-3
    )


def test_a_direction_without_variance_stays_finite() -> None:
    backbone = small(shape=(3, 12, 12))
    backbone.calibrate(correlated()[:, :1].expand(-1, 3, -1, -1))  # grey images stored as colour
    weight = backbone.get_buffer("blocks.0.stem.weight")
    assert weight.isfinite().all() and weight.abs().max() < 50
    backbone.calibrate(torch.zeros(2, 3, 12, 12))
    assert backbone(torch.zeros(2, 3, 12, 12)).isfinite().all()


def test_the_other_backbones_have_nothing_to_calibrate() -> None:
    backbone = CNNBackbone(CNN(4, 2), (3, 8, 8))
    before = copy.deepcopy(backbone.state_dict())
    backbone.calibrate(torch.randn(4, 3, 8, 8))
    assert all(torch.equal(v, before[k]) for k, v in backbone.state_dict().items())


@pytest.mark.parametrize("convs_per_block", [1, 2])
@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 28, 28), (2, 8, 9), (3, 3, 3)])
def test_shapes_and_owners(convs_per_block: int, shape: tuple[int, int, int]) -> None:
    backbone = small(convs_per_block, shape=shape)
    assert backbone.depth == 6 // convs_per_block and backbone.normalized and not backbone.copies_at_cuts
    assert [backbone.weight_layers(l) for l in range(backbone.depth)] == [convs_per_block] * backbone.depth
    for key in backbone.state_dict():
        assert backbone.owner(key) == int(key.split(".")[1])
    assert backbone.owner("blocks.0.stem.weight") == 0
    names = {id(p): name for name, p in backbone.named_parameters()}
    assert sorted(names[id(p)] for l in range(backbone.depth) for p in backbone.block_parameters(l)) == sorted(
        names.values()
    )
    assert not [name for name in names.values() if "stem" in name or name.endswith("norm.weight")]

    seen: list[tuple[Tensor, Tensor]] = []

    def visit(l: int, out: Tensor) -> Tensor:
        seen.append((out, out.clone()))
        assert backbone.features(l, out).shape == (4, *backbone.feature_shapes[l])
        backbone.zero_grad()
        out.square().sum().backward()
        reached = {l for name, p in backbone.named_parameters() if p.grad is not None for l in [backbone.owner(name)]}
        assert reached == {l}
        return backbone.downsample(l + 1, out).detach()

    x = torch.randn(4, *shape)
    kept = x.clone()
    backbone.walk(x, visit)
    assert len(seen) == backbone.depth and torch.equal(x, kept)
    # Nothing is changed in place: a plain detach() is enough at a cut.
    assert all(torch.equal(now, then) for now, then in seen)


def test_the_pools_are_those_of_the_first_third_and_fifth_convolution() -> None:
    sides = [s[1] for s in WhitenedCNNBackbone(WhitenedCNN(), (3, 32, 32)).feature_shapes]
    assert sides == [15, 15, 7, 7, 3, 3]
    assert [s[0] for s in WhitenedCNNBackbone(WhitenedCNN(), (3, 32, 32)).feature_shapes] == [64, 64, *[256] * 4]
    assert [s[1] for s in small(2, shape=(3, 32, 32)).feature_shapes] == [15, 7, 3]
    assert [s[1] for s in small(shape=(1, 8, 8)).feature_shapes] == [3] * 6  # 7 -> 3, and 3 is not halved
    assert WhitenedCNNBackbone(WhitenedCNN((4, 5, 6), 2), (3, 8, 8)).feature_shapes == ((5, 3, 3), (6, 3, 3))


def test_a_pool_stands_before_the_norm() -> None:
    """gelu(norm(pool(conv(x)))), computed by hand with the batch's own statistics."""
    unit = small().get_submodule("blocks.2.unit0")
    x = torch.randn(5, 6, 8, 8, generator=generator(1))
    nn.init.normal_(unit.norm.bias, generator=generator(2))
    h = F.max_pool2d(F.conv2d(x, unit.conv.weight, padding=1), 2)
    mean, var = h.mean((0, 2, 3), keepdim=True), h.var((0, 2, 3), unbiased=False, keepdim=True)
    expected = F.gelu((h - mean) / (var + 1e-5).sqrt() + unit.norm.bias.view(-1, 1, 1))
    torch.testing.assert_close(unit(x), expected)


def test_the_norm_has_a_bias_and_no_scale() -> None:
    backbone = small()
    norms = [m for m in backbone.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == 6 and all(isinstance(m, BiasedBatchNorm) and m.weight is None for m in norms)
    assert all(m.bias is not None and m.bias.requires_grad for m in norms) and has_batch_statistics(backbone)
    x = torch.randn(64, 3, 16, 16, generator=generator(5))
    for _ in range(12):
        backbone(x)
    backbone.train(False)
    evaluated = backbone(x)
    torch.testing.assert_close(backbone.train()(x), evaluated, rtol=0.05, atol=0.05)


def test_the_same_generator_gives_the_same_weights() -> None:
    before = torch.get_rng_state()
    first, same, other = small(seed=4), small(seed=4), small(seed=5)
    assert torch.equal(before, torch.get_rng_state())
    pairs = list(zip(first.state_dict().values(), same.state_dict().values(), strict=True))
    assert all(torch.equal(a, b) for a, b in pairs)
    name = "blocks.2.unit0.conv.weight"  # 6 channels to 10: not the identity alone
    assert not torch.equal(first.get_parameter(name), other.get_parameter(name))
    torch.manual_seed(4)
    drawn = create_backbone("whitened_cnn", (3, 16, 16), 10, WhitenedCNN(SMALL))
    assert all(torch.equal(a, b) for a, b in zip(drawn.parameters(), first.parameters(), strict=True))


def test_the_first_filters_are_the_identity_and_all_have_a_norm_of_about_one() -> None:
    weight = small().get_parameter("blocks.2.unit0.conv.weight").detach()
    x = torch.randn(2, 6, 8, 8)
    torch.testing.assert_close(F.conv2d(x, weight, padding=1)[:, :6], x)
    assert weight[6:].std() > 0.05
    norms = (
        WhitenedCNNBackbone(WhitenedCNN(), (3, 32, 32))
        .get_parameter("blocks.0.unit0.conv.weight")
        .flatten(1)
        .norm(dim=1)
    )
    assert 0.8 < norms.min() and norms.max() < 1.2


def test_state_dict_and_deepcopy() -> None:
    backbone = small(2)
    backbone.calibrate(torch.randn(8, 3, 16, 16, generator=generator(6)))
    x = torch.randn(4, 3, 16, 16)
    backbone(x)
    fresh = small(2, seed=1)
    fresh.load_state_dict(backbone.state_dict())
    for other in (fresh, copy.deepcopy(backbone)):
        assert torch.equal(other.eval()(x), backbone.eval()(x))


def test_bf16_and_channels_last() -> None:
    backbone = small().to(memory_format=torch.channels_last)
    x = torch.randn(8, 3, 16, 16).contiguous(memory_format=torch.channels_last)
    expected = copy.deepcopy(backbone)(x)
    with torch.autocast("cpu", torch.bfloat16):
        out = backbone(x)
    assert out.dtype == torch.bfloat16 and out.is_contiguous(memory_format=torch.channels_last)
    assert F.cosine_similarity(out.float().flatten(), expected.flatten(), dim=0) > 0.99
    out.float().sum().backward()
    assert all(p.grad is not None and p.grad.dtype == torch.float32 for p in backbone.parameters())


@pytest.mark.parametrize("shape", [(64,), (3, 2, 8), (0, 8, 8)])
def test_other_inputs_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(OptionError, match="H and W of at least 3"):
        WhitenedCNNBackbone(WhitenedCNN(), shape)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: WhitenedCNN(()), "at least one"),
        (lambda: WhitenedCNN((4, 0)), "each at least 1"),
        (lambda: WhitenedCNN(convs_per_block=3), "1 or 2"),
    ],
)
def test_bad_options_are_refused(make, words) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(OptionError, match=words):
        make()
