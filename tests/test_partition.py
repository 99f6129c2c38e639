"""Foreign models cut into blocks: timm's and any other, what is refused, and many families."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ffzoo.algorithms.engine import RecipeAlgorithm
from ffzoo.algorithms.options import FitOptions
from ffzoo.algorithms.recipe import Recipe, Term
from ffzoo.backbones.options import Timm
from ffzoo.backbones.partition import partition
from ffzoo.backbones.partitioned import Partition
from ffzoo.backbones.timm_source import timm_backbone
from ffzoo.errors import OptionError, PartitionError, RecipeError, UnknownNameError
from tests.backbone_models import TIMM, Chain, Skip, check_backbone, detached, last_output

pytestmark = pytest.mark.usefixtures("same_start")


# --- partition of timm models ---------------------------------------------------------------------


@pytest.mark.parametrize("name", TIMM)
def test_timm_partition(name: str, timm_model: Callable[[str], Partition]) -> None:
    backbone = timm_model(name)
    assert backbone.verified and backbone.depth >= 4 and backbone.copies_at_cuts and backbone.normalized
    x = torch.randn(3, *backbone.input_shape)
    backbone.eval()
    with torch.no_grad():
        whole = backbone.model(x)
        for change in (lambda out: out, detached):
            out = last_output(backbone, x, change)
            torch.testing.assert_close(backbone.native_head(out), whole)
    check_backbone(backbone.train(), x)
    head = [n for n, _ in backbone.named_parameters() if backbone.owner(n) is None]
    assert head and all("head" in n or "fc" in n for n in head)
    assert "verified" in backbone.describe()
    assert all(backbone.weight_layers(l) for l in range(backbone.depth))


def test_tokens_become_a_map(timm_model: Callable[[str], Partition]) -> None:
    vit, mixer = timm_model("vit_tiny_patch16_224"), timm_model("mixer_s32_224")
    assert set(vit.feature_shapes) == {(192, 4, 4)} and set(mixer.feature_shapes) == {(512, 2, 2)}
    tokens = torch.randn(2, 17, 192)
    assert torch.equal(vit.features(0, tokens)[:, :, 1, 2], tokens[:, 1 + 4 + 2])
    assert vit.features(0, tokens[:, :8]).shape == (2, 192, 7, 1)


def test_channels_last_becomes_first() -> None:
    backbone = timm_backbone(Timm(by="stage"), "swin_tiny_patch4_window7_224", (3, 64, 64))
    assert backbone.feature_shapes[0] == (96, 16, 16)
    out = torch.randn(1, 16, 16, 96)
    assert torch.equal(backbone.features(0, out)[0, :, 3, 5], out[0, 3, 5])


def test_block_cut_is_finer_and_equal() -> None:
    backbone = timm_backbone(Timm(by="block"), "resnet18", (3, 32, 32))
    assert backbone.depth == 9 and backbone.labels[:2] == ["stem", "layer1.0"]
    check_backbone(backbone, torch.randn(2, 3, 32, 32))


def test_auto_falls_back_to_blocks() -> None:
    """mvitv2 lists feature stages that are not modules."""
    assert timm_backbone(Timm(), "mvitv2_tiny", (3, 64, 64)).by == "block"
    with pytest.raises(PartitionError, match=r"not a module.*'block' or a list"):
        timm_backbone(Timm(by="stage"), "mvitv2_tiny", (3, 64, 64))


def test_timm_errors() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'resnet18'"):
        timm_backbone(Timm(), "resnet81", (3, 32, 32))
    with pytest.raises(PartitionError, match=r"shape \(3, 8, 8\).*\(3, 224, 224\)"):
        timm_backbone(Timm(), "vgg11_bn", (3, 8, 8))
    with pytest.raises(OptionError, match=r"\(C, H, W\)"):
        timm_backbone(Timm(), "resnet18", (3, 32))


# --- partition of any module ------------------------------------------------------------------------


def test_partition_by_names_in_any_order() -> None:
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3))
    x = torch.randn(2, 4)
    backbone = partition(model, ["3", "1"], x, name="net")
    assert backbone.labels == ["1", "3", "end"] and not backbone.has_native_head
    assert backbone.feature_shapes == ((5,), (6,), (3,))
    assert torch.equal(backbone(x), model(x))
    check_backbone(backbone, x)
    assert partition(model, ["1", "4"], x).depth == 2


@pytest.mark.parametrize("around", ["output", "inside"])
def test_a_skip_over_the_cut_is_refused(around: str) -> None:
    x = torch.randn(2, 6)
    with pytest.raises(PartitionError, match=r"Skip: a tensor skips the cut after '[ab]'"):
        partition(Skip(around), ["a", "b"], x)
    assert partition(Skip("nothing"), ["a", "b"], x).depth == 3


def test_a_real_skip_goes_backward_twice() -> None:
    """What the refusal guards against: the second local backward meets a freed graph."""
    model = Skip("inside")
    held: list[Tensor] = []
    model.a.register_forward_hook(lambda m, args, out: held.append(out))
    out = model.a(torch.randn(2, 6)).square()
    out.sum().backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        (model.b(out.detach()) + out).sum().backward()


def test_a_shared_layer_is_refused() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    model[2].weight = model[0].weight
    with pytest.raises(PartitionError, match="of block 1"):
        partition(model, ["1"], torch.randn(2, 4))
    twice = nn.Sequential(layer := nn.Linear(4, 4), nn.ReLU(), layer)
    with pytest.raises(PartitionError, match="more than once"):
        partition(twice, ["0"], torch.randn(2, 4))


@pytest.mark.parametrize(
    ("by", "message"),
    [
        (["laier"], "no module 'laier'"),
        (["0", "0"], "distinct"),
        ([], "distinct"),
        (["1", "2"], "has no parameters"),
        (["3"], "at least two"),
        ("auto", "not a timm classifier"),
        ("layers", "choose from"),
    ],
)
def test_bad_cuts_are_refused(by: Any, message: str) -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2))
    with pytest.raises(PartitionError, match=message):
        partition(model, by, torch.randn(2, 4))


def test_the_in_place_trap() -> None:
    """After conv-BN | cut | ReLU(inplace) a plain detach() shares the memory that is then overwritten."""
    torch.manual_seed(1)
    x = torch.randn(4, 3, 8, 8)
    backbone = partition(Chain(nn.ReLU(inplace=True)), ["bn"], x)

    def goodness(change: Callable[[Tensor], Tensor]) -> tuple[float, float]:
        held: list[Tensor] = []
        values: list[float] = []

        def visit(l: int, out: Tensor) -> Tensor:
            held.append(out)
            values.append(out.square().mean().item())
            return change(out)

        backbone.walk(x, visit)
        return values[0], held[0].square().mean().item()

    read, later = goodness(lambda out: out.detach())
    assert later < 0.7 * read
    assert backbone.copies_at_cuts
    read, later = goodness(lambda out: out.detach().clone())
    assert later == read


def test_reading_a_block_outside_the_cut_is_refused() -> None:
    """The alias sees the in-place activation only as long as the cut passes on the same memory."""
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(inplace=True), nn.Linear(4, 4))
    alias: list[Tensor] = []
    model[0].register_forward_hook(lambda m, args, out: alias.append(out.detach()))
    model[2].register_forward_hook(lambda m, args, out: out + alias.pop())
    with pytest.raises(PartitionError, match="outputs differ"):
        partition(model, ["0"], torch.randn(2, 4))


def test_the_batch_is_first() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Flatten(0, 1), nn.Linear(4, 4))
    with pytest.raises(PartitionError, match="batch in the first dimension"):
        partition(model, ["1"], torch.randn(2, 3, 4))


def test_building_disturbs_nothing() -> None:
    model = Chain(nn.Dropout(0.5))
    model.conv.bias.requires_grad_(False)
    model.bn.eval()
    before = copy.deepcopy(model.state_dict())
    rng = torch.get_rng_state()
    example = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    backbone = partition(model, ["bn"], example)
    backbone.verify()
    assert torch.equal(rng, torch.get_rng_state())
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert model.training and not model.bn.training and not model.conv.bias.requires_grad
    assert all(p.grad is None for p in model.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert backbone.owner("model.conv.bias") == 0 and backbone.owner("model.bn.running_mean") == 0


def test_buffers_follow_their_module(timm_model: Callable[[str], Partition]) -> None:
    backbone = timm_model("resnet18")
    assert backbone.owner("model.layer3.0.bn1.running_var") == 3
    assert backbone.owner("model.bn1.num_batches_tracked") == 0
    norm = nn.BatchNorm1d(4, affine=False)
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), norm, nn.Linear(4, 2))
    assert partition(model, ["1"], torch.randn(2, 4)).owner("model.2.running_mean") == 1


def test_a_failing_visitor_leaves_no_hooks() -> None:
    x = torch.randn(2, 3, 8, 8)
    backbone = partition(Chain(nn.ReLU()), ["bn"], x)
    with pytest.raises(TypeError, match="returned None"):
        backbone.walk(x, lambda l, out: None)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in backbone.modules())


def test_a_visitor_may_walk() -> None:
    x = torch.randn(2, 3, 8, 8)
    backbone = partition(Chain(nn.ReLU()), ["bn"], x).eval()
    outer: list[int] = []

    def visit(l: int, out: Tensor) -> Tensor:
        outer.append(l)
        last_output(backbone, x)
        return out

    backbone.walk(x, visit)
    assert outer == [0, 1]


def test_deepcopy_of_a_partition(timm_model: Callable[[str], Partition]) -> None:
    original = timm_model("resnet18").eval()
    twin = copy.deepcopy(original)
    x = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        before = last_output(original, x)
        for p in twin.block_parameters(0):
            p.mul_(2)
        twin.model.layer1[0].bn1.running_mean.add_(1)
        assert not torch.allclose(last_output(twin, x), before)
        assert torch.equal(last_output(original, x), before)
    twin.verify()
    assert twin.describe() == original.describe()


# --- breadth ----------------------------------------------------------------------------------------

FAMILIES = """
    densenet121 dla34 swin_tiny_patch4_window7_224 mobilevit_xxs efficientnet_b0 mobilenetv3_small_050
    regnetx_002 cait_xxs24_224 deit_tiny_distilled_patch16_224 levit_128s pvt_v2_b0 twins_pcpvt_small
    mvitv2_tiny xcit_nano_12_p16_224 poolformer_s12 edgenext_xx_small rexnet_100 ghostnet_100 xception41
    dpn48b vovnet39a cspresnet50 res2net50_14w_8s resnetv2_18 gmlp_s16_224 resmlp_12_224 convmixer_768_32
    repvgg_a0 mambaout_femto fastvit_t8 eva02_tiny_patch14_224 coatnet_pico_rw_224 vgg11 dm_nfnet_f0
""".split()


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_timm_families(name: str) -> None:
    size = {"eva02_tiny_patch14_224": 56, "coatnet_pico_rw_224": 224}.get(name, 64)
    backbone = timm_backbone(Timm(), name, (3, size, size))
    x = torch.randn(2, 3, size, size)
    assert backbone.depth >= 3
    with torch.no_grad():
        backbone.eval()
        out = last_output(backbone, x, detached)
        torch.testing.assert_close(backbone.native_head(out), backbone.model(x), rtol=1e-4, atol=1e-4)
    check_backbone(backbone, x)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hrnet_w18_small", "coat_tiny"])
def test_branching_families_are_refused(name: str) -> None:
    with pytest.raises(PartitionError, match=f"timm:{name} cannot be cut.*by stage.*by block"):
        timm_backbone(Timm(), name, (3, 64, 64))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"forward_norm": "groupnorm"}, "forward_norm=groupnorm reads"),
        (
            {"label_embedding": "label_projections", "negatives": "wrong_label"},
            "label_embedding=label_projections reads",
        ),
    ],
)
def test_parts_that_read_channels_refuse_tokens(changes, message):
    """A transformer's blocks pass on (B, tokens, channels): by axis they would normalize and label the tokens."""
    goodness = Term("mean_squares", "logistic") if "negatives" in changes else Term("projection", "cross_entropy")
    recipe = Recipe((goodness,), **changes)
    backbone = timm_backbone(Timm(by="block"), "test_vit", (3, 160, 160))
    with pytest.raises(RecipeError, match=message):
        RecipeAlgorithm(backbone, 4, recipe, FitOptions())
