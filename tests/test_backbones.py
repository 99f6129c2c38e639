"""Backbones: shapes, ownership, the cut of foreign models, recomputation, batch statistics."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from ffzoo.backbones.base import Backbone
from ffzoo.backbones.batchnorm import has_batch_statistics, split_statistics
from ffzoo.backbones.checkpointing import checkpoint_blocks
from ffzoo.backbones.native import CNNBackbone, MLPBackbone, ResNetBackbone
from ffzoo.backbones.options import CNN, MLP, ResNet, Timm
from ffzoo.backbones.partition import Partition, partition
from ffzoo.backbones.timm_source import timm_backbone
from ffzoo.engine import RecipeAlgorithm
from ffzoo.errors import OptionError, PartitionError, RecipeError, UnknownNameError
from ffzoo.recipe import Recipe, Term
from ffzoo.training.options import FitOptions

SHAPES = [(1, 8, 8), (1, 28, 28), (3, 32, 32)]
TIMM = {
    "resnet18": 32,
    "vgg11_bn": 32,
    "convnext_atto": 32,
    "vit_tiny_patch16_224": 64,
    "mixer_s32_224": 64,
}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def timm_model() -> Callable[[str], Partition]:
    """Partitions of timm models, each built once; a test that changes one copies it first."""
    built: dict[str, Partition] = {}

    def get(name: str) -> Partition:
        if name not in built:
            torch.manual_seed(0)
            built[name] = timm_backbone(Timm(), name, (3, TIMM[name], TIMM[name]))
        return built[name]

    return get


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


# --- options ------------------------------------------------------------------------------------


def test_options_are_torch_free() -> None:
    code = "import sys, ffzoo.backbones, ffzoo.backbones.options; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("make", [lambda: MLP(0), lambda: CNN(depth=-1), lambda: ResNet(width=2.5), lambda: CNN(True)])
def test_bad_sizes_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(OptionError, match=r"at least 1|expected int"):
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
    with pytest.raises(PartitionError, match="of block 0"):
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
