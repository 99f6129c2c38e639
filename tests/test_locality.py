"""The kit sees leaks: every leaky algorithm is rejected, with the blocks and the probe named."""

from __future__ import annotations

import copy
import re

import leaky
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ffzoo import Batch, FitOptions, Recipe, Term, create
from ffzoo.algorithms.build import algorithm_spec
from ffzoo.algorithms.engine import RecipeAlgorithm
from ffzoo.backbones.options import CNN, MLP, ResNet
from ffzoo.measure.locality import black_box, probe, same_bits, state_of, structural
from ffzoo.parts.options import ConcatLinear, HybridImages, Logistic, Projection, Sum
from ffzoo.testing import check_algorithm
from ffzoo.testing.strategies import Case

torch.set_num_threads(1)

GRADIENT = r"structural: the loss of (block|head) \d has a gradient \(norm \d\.\de[+-]\d\d\) on block \d"
BOTH = r"structural: the loss of block 1 and the loss of block 2 each have a gradient on gain, which no block owns"
MOVED = r"black box: changing block \d moved block \d \(\S+\) in step \d"
SHARED = r"black box: changing what no block owns moved block 1 \(\S+\) in step 1"

# leak, the words of the structural probe (None: it sees nothing), the words of the black box
LEAKS = [
    (leaky.MissingDetach, r"structural: the loss of block 2 has a gradient \(norm \S+\) on block 1", MOVED),
    (leaky.ReachingHead, r"structural: the loss of head 1 has a gradient \(norm \S+\) on block 1", SHARED),
    (leaky.SharedNorm, BOTH, SHARED),
    (leaky.TiedWeights, GRADIENT, MOVED),
    (leaky.SharedSecondMoment, None, r"changing block 2 moved block 1 \(\S+\) in step 1"),
    (leaky.BorrowedRate, None, r"changing block 2 moved block 1 \(\S+\) in step 1"),
    (leaky.GlobalClip, None, r"changing block 2 moved block 1 \(\S+\) in step 1"),
    (leaky.BackwardStatistic, None, r"changing block 2 moved block 1 \(\S+\) in step \d"),
    (leaky.InPlaceCorruption, None, r"changing block 2 moved block 1 \(\S+\) in step 1"),
    (leaky.BorrowedGoodness, None, r"changing block 2 moved block 1 \(\S+\) in step 1"),
]
PROBES = ["locality_structural", "locality_black_box"]


def test_the_honest_control_is_local_by_both_probes():
    results = check_algorithm(leaky.Honest, checks=PROBES)
    assert [r.status for r in results] == ["passed", "passed"]
    assert all(r.examples >= 8 for r in results)


@pytest.mark.parametrize(("leak", "gradient", "moved"), LEAKS, ids=[leak.__name__ for leak, *_ in LEAKS])
def test_every_leak_is_rejected_with_the_blocks_and_the_probe_named(leak, gradient, moved):
    structure, box = check_algorithm(leak, checks=PROBES, on_fail="return")
    if gradient is None:
        assert structure.status == "passed", structure.reason
    else:
        assert structure.status == "failed"
        assert re.search(gradient, structure.reason), structure.reason
    assert box.status == "failed"
    assert re.search(moved, box.reason), box.reason
    assert "black box: " in box.reason


def test_the_first_probe_to_see_a_leak_raises_by_default():
    with pytest.raises(AssertionError, match=r"(?s)GlobalClip failed 1 of 2 checks.*black box: changing block"):
        check_algorithm(leaky.GlobalClip, checks=PROBES)


def _setting(algo, backbone="mlp", depth=3, shape=(1, 8, 8), **kw):
    config = {"mlp": MLP(12, depth), "cnn": CNN(10, depth), "resnet": ResNet(10, depth)}.get(backbone)
    algorithm = create(algo, backbone, shape, 4, backbone_config=config, **kw)
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(6, *shape, generator=generator)
    return algorithm, Batch(x, torch.randint(4, (6,), generator=generator), torch.arange(6), 0, generator)


@pytest.mark.parametrize("backbone", ["mlp", "cnn", "resnet"])
@pytest.mark.parametrize("algo", ["bp", "bp_deepsup"])
def test_backprop_is_seen_by_both_probes(algo, backbone):
    algorithm, batch = _setting(algo, backbone)
    structure, box = structural(algorithm, batch), black_box(algorithm, batch)
    assert not structure.local
    assert structure.matrix[2][0] > 0
    assert not structure.violations, "isolation none forbids nothing"
    assert "changing block 3 moved block 1" in "".join(box.violations)
    assert probe(algorithm, batch).strictly_local is False


@pytest.mark.parametrize("backbone", ["mlp", "cnn", "resnet"])
@pytest.mark.parametrize("algo", ["dtg_ff", "dtg_ff_gap", "vanilla_ff", "vanilla_ff_unsup"])
def test_shipped_local_rules_are_strictly_local(algo, backbone):
    algorithm, batch = _setting(algo, backbone)
    found = probe(algorithm, batch)
    assert (found.structural, found.black_box, found.strictly_local) == (True, True, True)


def test_one_hop_fusion_is_declared_and_measured_as_not_local():
    recipe = Recipe((Term("projection", "cross_entropy"),), fusion="concat_linear", fusion_grad="one_hop")
    algorithm, batch = _setting(recipe)
    structure = structural(algorithm, batch)
    assert structure.violations == []
    assert structure.local is False
    assert probe(algorithm, batch).strictly_local is False


def test_one_block_is_not_strictly_local():
    algorithm, batch = _setting("dtg_ff", depth=1)
    found = probe(algorithm, batch)
    assert found.structural and found.black_box
    assert not found.strictly_local


def test_a_rule_without_losses_is_judged_by_the_black_box_alone():
    class Blind(leaky.Honest):
        def losses(self, batch):
            return None

    case = Case("mlp", 2, 12, (1, 6, 6), 3, 4, 0)
    algorithm = Blind(case.build_backbone(case.shape), 3, FitOptions())
    assert structural(algorithm, case.batch()) is None
    found = probe(algorithm, case.batch())
    assert (found.structural, found.black_box, found.strictly_local) == (None, True, True)


@pytest.mark.parametrize("algo", ["dtg_ff", "bp", "vanilla_ff_unsup"])
def test_probing_changes_nothing(algo):
    algorithm, batch = _setting(algo, "cnn")
    algorithm.train_step(batch)
    algorithm.backbone.blocks[1].eval()
    before = copy.deepcopy(state_of(algorithm))
    modes = [m.training for m in algorithm.modules()]
    torch.manual_seed(12345)  # not where an earlier probe would have left it
    random, own = torch.get_rng_state(), batch.generator.get_state()
    probe(algorithm, batch)
    after = state_of(algorithm)
    assert before.keys() == after.keys()
    assert all(same_bits(before[key], after[key]) for key in before)
    assert modes == [m.training for m in algorithm.modules()]
    assert torch.equal(random, torch.get_rng_state())
    assert torch.equal(own, batch.generator.get_state())
    assert all(p.grad is None for p in algorithm.parameters())


def test_bits_are_compared_not_values():
    nan, zero = torch.tensor(float("nan")), torch.zeros(2)
    assert same_bits(nan, nan.clone())
    assert not same_bits(zero, -zero)
    assert not same_bits(zero, zero.double())
    assert not same_bits(zero, torch.zeros(2, 1))


# ------------------------------------------------------------------ random recipes

class_terms = st.builds(
    Term,
    st.builds(
        Projection,
        power=st.sampled_from([1, 2]),
        grid=st.sampled_from([1, 2, "all"]),
        l2=st.sampled_from(["none", "position", "pooled"]),
        projection=st.sampled_from(["random", "orthogonal", "learned", "groups"]),
        bias=st.sampled_from(["none", "frozen", "learned"]),
        temperature=st.sampled_from(["learned", 0.5]),
    ),
    st.just("cross_entropy"),
    st.sampled_from([0.5, 1.0]),
)
sample_terms = st.builds(
    Term,
    st.sampled_from(["sum_squares", "mean_squares"]),
    st.builds(Logistic, threshold=st.sampled_from([0.5, 2.0]), scale=st.sampled_from([1.0, "dim"])),
)
norms = st.sampled_from(["none", "layernorm", "rms", "l2"])
fusions = st.sampled_from([Sum(), Sum(first=1), "last", "best_range", ConcatLinear(), ConcatLinear(first=1, grid=2)])


@st.composite
def recipes(draw):
    """Recipes with isolation local: class or sample goodness, any norms, labels, negatives and fusion."""
    shared = {"forward_norm": draw(st.one_of(norms, st.just("auto"))), "goodness_norm": draw(norms)}
    if draw(st.booleans()):
        terms = tuple(draw(st.lists(class_terms, min_size=1, max_size=2)))
        # A class goodness reads the class off the block; a label in the input would give it away.
        return Recipe(terms, fusion=draw(fusions), **shared)
    terms = (draw(sample_terms),)
    label = draw(st.sampled_from(["none", "overlay", "concat"]))
    if label == "none":
        return Recipe(terms, negatives=HybridImages(blurs=2), fusion=ConcatLinear(), **shared)
    negatives = draw(st.sampled_from(["wrong_label", HybridImages(blurs=2)]))
    return Recipe(terms, label_embedding=label, negatives=negatives, fusion=draw(fusions), **shared)


quick = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


def _assert_strictly_local(recipe, backbone, depth, seed, shape=(1, 8, 8)):
    algorithm, batch = _setting(recipe, backbone, depth, shape, fit=FitOptions(seed=seed))
    structure = structural(algorithm, batch)
    assert structure.violations == []
    assert structure.local
    assert black_box(algorithm, batch).violations == []


@settings(quick, max_examples=30)
@given(recipes(), st.sampled_from(["mlp", "cnn", "resnet"]), st.integers(2, 4), st.integers(0, 99))
def test_random_recipes_are_strictly_local(recipe, backbone, depth, seed):
    _assert_strictly_local(recipe, backbone, depth, seed)


@settings(quick, max_examples=10)
@given(recipes(), st.integers(2, 3), st.integers(0, 99))
def test_random_recipes_without_isolation_are_not(recipe, depth, seed):
    algorithm, batch = _setting(recipe.replace(isolation="none"), "mlp", depth, fit=FitOptions(seed=seed))
    assert probe(algorithm, batch).strictly_local is False


@settings(quick, max_examples=2)
@given(recipes(), st.integers(0, 99))
def test_random_recipes_on_a_timm_resnet_are_strictly_local(recipe, seed):
    algorithm, batch = _setting(recipe, "timm:resnet18", shape=(3, 32, 32), fit=FitOptions(seed=seed))
    assert algorithm.backbone.depth >= 4
    assert probe(algorithm, batch).strictly_local


def test_a_timm_vit_is_strictly_local_under_dtg_ff_and_not_under_backprop():
    timm = pytest.importorskip("timm")
    from ffzoo import partition

    torch.manual_seed(0)
    vit = timm.create_model(
        "vit_tiny_patch16_224", img_size=16, patch_size=8, embed_dim=24, depth=3, num_heads=2, num_classes=4
    )
    backbone = partition(vit, "block", torch.randn(2, 3, 16, 16), "tiny vit")
    generator = torch.Generator().manual_seed(0)
    batch = Batch(torch.randn(4, 3, 16, 16, generator=generator), torch.tensor([0, 1, 2, 3]), generator=generator)
    local = create("dtg_ff", copy.deepcopy(backbone), (3, 16, 16), 4)
    assert isinstance(local, RecipeAlgorithm)
    assert probe(local, batch).strictly_local
    assert not probe(create("bp", backbone, (3, 16, 16), 4), batch).strictly_local


# ------------------------------------------------------------------ independent of autograd


def _losses(algorithm, batch):
    again = Batch(batch.x, batch.y, batch.index, batch.epoch, torch.Generator().manual_seed(3))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return [loss.detach() for loss in algorithm.losses(again)]


def _assert_applied_gradients_are_finite_differences(algorithm, batch):
    """What SGD took off each block is dL_l/dW_l by central differences of L_l alone, its input held fixed."""
    algorithm, x = algorithm.double(), batch.x.double()
    batch = Batch(x, batch.y, batch.index, 0, torch.Generator().manual_seed(3))
    stepped = copy.deepcopy(algorithm)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        stepped.train_step(batch)
    base = _losses(algorithm, batch)
    depth = algorithm.backbone.depth
    for l in range(depth):
        parameters, after = algorithm.own_parameters(l), stepped.own_parameters(l)
        applied = [a.detach() - b.detach() for a, b in zip(parameters, after, strict=True)]  # lr is 1
        norm = torch.cat([g.flatten() for g in applied]).norm().clamp(min=1e-30)
        # Along the applied gradient itself the derivative is its norm; a ReLU's kink may lie within one step size.
        errors = []
        for eps in (1e-5, 1e-6, 1e-7):
            sides = []
            for sign in (1, -1):
                moved = copy.deepcopy(algorithm)
                with torch.no_grad():
                    for p, g in zip(moved.own_parameters(l), applied, strict=True):
                        p.add_(sign * eps * g / norm)
                losses = _losses(moved, batch)
                assert all(torch.equal(losses[j], base[j]) for j in range(l)), "a later block moved an earlier loss"
                sides.append(losses[l])
            errors.append(abs(float((sides[0] - sides[1]) / (2 * eps) - norm)))
        # 1e-8: a normalised goodness is constant, and both are rounding.
        assert min(errors) < 1e-4 * norm + 1e-8, f"block {l + 1}: {norm} is off by {errors}"


_SGD = FitOptions(optimizer="sgd", lr=1.0, weight_decay=0.0, schedule="constant")


@settings(quick, max_examples=12)
@given(recipes(), st.sampled_from(["mlp", "cnn", "resnet"]), st.integers(2, 4))
def test_random_recipes_apply_the_gradient_that_finite_differences_give(recipe, backbone, depth):
    _assert_applied_gradients_are_finite_differences(*_setting(recipe, backbone, depth, (1, 8, 8), fit=_SGD))


@pytest.mark.parametrize("rule", ["dtg_ff", "vanilla_ff"])
def test_timm_blocks_apply_the_gradient_that_finite_differences_give(rule):
    algorithm, batch = _setting(algorithm_spec(rule).recipe, "timm:resnet18", shape=(3, 32, 32), fit=_SGD)
    _assert_applied_gradients_are_finite_differences(algorithm, batch)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "side"),
    [("resnet18", 64), ("convnext_atto", 64), ("vit_tiny_patch16_224", 64), ("mixer_s32_224", 64), ("vgg11_bn", 64)],
)
def test_one_step_on_timm_models_is_strictly_local(model, side):
    algorithm, batch = _setting(algorithm_spec("dtg_ff").recipe, f"timm:{model}", shape=(3, side, side))
    assert algorithm.backbone.verified
    metrics = algorithm.train_step(batch)
    assert all(bool(v.isfinite()) for v in metrics.values())
    assert probe(algorithm, batch).strictly_local
