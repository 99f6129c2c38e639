"""The streaming engine: what a step keeps, what it learns, what it refuses, how it predicts."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from ffzoo import Recipe, Term, partition
from ffzoo.algorithms.build import algorithm_spec, create
from ffzoo.algorithms.engine import RecipeAlgorithm
from ffzoo.algorithms.options import Execution, FitOptions
from ffzoo.backbones.native import CNNBackbone, MLPBackbone
from ffzoo.backbones.options import CNN, MLP
from ffzoo.data.batch import Batch
from ffzoo.errors import OptionError, RecipeError
from ffzoo.kernels.kept import keep, saved_activations
from ffzoo.measure.memory import step_cost
from ffzoo.parts.options import ConcatLinear, Logistic, Projection


def batch_of(n=8, shape=(1, 8, 8), classes=4, seed=0):
    g = torch.Generator().manual_seed(seed)
    return Batch(torch.randn(n, *shape, generator=g), torch.randint(classes, (n,), generator=g), generator=g)


def mlp(recipe, depth=3, width=16, classes=4, **fit):
    torch.manual_seed(0)
    if isinstance(recipe, str):
        recipe = algorithm_spec(recipe).recipe
    return RecipeAlgorithm(MLPBackbone(MLP(width, depth), (1, 8, 8)), classes, recipe, FitOptions(**fit))


def test_saved_activations_do_not_grow_with_depth_when_local():
    kept = {}
    for name in ("dtg_ff", "bp"):
        kept[name] = [step_cost(mlp(name, depth), batch_of()).saved_activation_bytes for depth in (4, 8, 32)]
    local, bp = kept["dtg_ff"], kept["bp"]
    assert local[2] <= 1.05 * local[0]
    assert bp[2] > 4 * bp[0]


def test_cutting_without_streaming_saves_nothing():
    algorithm = mlp("dtg_ff", 8)
    streaming = step_cost(algorithm, batch_of()).saved_activation_bytes
    algorithm.run_as(Execution(streaming=False))
    assert step_cost(algorithm, batch_of()).saved_activation_bytes > 3 * streaming


def test_local_learning_needs_two_thirds_of_the_arithmetic():
    flops = {}
    for name in ("dtg_ff", "bp_deepsup"):
        torch.manual_seed(0)
        backbone = CNNBackbone(CNN(8, 8), (1, 8, 8))
        algorithm = RecipeAlgorithm(backbone, 4, algorithm_spec(name).recipe, FitOptions())
        flops[name] = step_cost(algorithm, batch_of()).flops
    assert 0.6 < flops["dtg_ff"] / flops["bp_deepsup"] < 0.75


def test_step_cost_changes_nothing():
    algorithm = mlp("vanilla_ff")
    before = copy.deepcopy(algorithm.state_dict())
    torch.manual_seed(5)
    state = torch.get_rng_state()
    step_cost(algorithm, batch_of())
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(v, before[k]) for k, v in algorithm.state_dict().items())


def test_the_meter_counts_distinct_storages_while_they_are_kept():
    layer = nn.Linear(10, 10, bias=False)
    x = torch.randn(4, 10, requires_grad=True)
    with saved_activations(layer) as peak:
        y = layer(x)
        (y * y).sum().backward()  # keeps x, and y once although it is saved twice
    assert peak.bytes == 2 * 4 * 10 * 4
    with saved_activations(layer) as peak:
        handle = keep(torch.zeros(100))
        del handle
        keep(torch.zeros(50))
    assert peak.bytes == 400


@pytest.mark.parametrize("fusion_grad", ["detached", "one_hop"])
def test_only_one_hop_lets_the_fusion_reach_the_blocks(fusion_grad):
    recipe = algorithm_spec("dtg_ff", {"fusion": "concat_linear", "fusion_grad": fusion_grad}).recipe
    algorithm = mlp(recipe)
    head = algorithm.losses(batch_of())[-1]
    gradients = torch.autograd.grad(head, algorithm.own_parameters(0), allow_unused=True)
    assert any(g is not None for g in gradients) == (fusion_grad == "one_hop")


def test_one_hop_adds_the_fusions_gradient_to_each_block():
    recipe = algorithm_spec("dtg_ff", {"fusion": "concat_linear", "fusion_grad": "one_hop"}).recipe
    algorithm = mlp(recipe, optimizer="sgd", lr=1.0, weight_decay=0.0, schedule="constant").double()
    batch = batch_of()
    batch = Batch(batch.x.double(), batch.y)
    losses = algorithm.losses(batch)
    weight = algorithm.backbone.blocks[1].linear.weight
    expected = torch.autograd.grad(sum(losses), weight)[0]
    before = weight.detach().clone()
    algorithm.train_step(batch)
    torch.testing.assert_close(before - weight.detach(), expected)


DEPTH_WEIGHTS = {"equal": [1.0, 1.0, 1.0], "growing": [1 / 3, 2 / 3, 1.0], "last_heavy": [0.3, 0.3, 1.0]}


@pytest.mark.parametrize("isolation", ["local", "none"])
@pytest.mark.parametrize(("name", "expected"), DEPTH_WEIGHTS.items())
def test_depth_weights_scale_each_blocks_loss_and_its_update(name, expected, isolation):
    def step(**changes):
        recipe = algorithm_spec("dtg_ff").recipe.replace(isolation=isolation, **changes)
        algorithm = mlp(recipe, optimizer="sgd", lr=1.0, weight_decay=0.0, schedule="constant").double()
        batch = batch_of()
        before = [b.linear.weight.detach().clone() for b in algorithm.backbone.blocks]
        losses = [float(loss.detach()) for loss in algorithm.losses(Batch(batch.x.double(), batch.y))]
        algorithm.train_step(Batch(batch.x.double(), batch.y))
        return losses, [old - b.linear.weight for old, b in zip(before, algorithm.backbone.blocks, strict=True)]

    (equal, moved), (losses, weighted) = step(), step(depth_weights=name)
    assert losses == pytest.approx([w * loss for w, loss in zip(expected, equal, strict=True)])
    # Behind a stop-gradient a block feels its own factor alone; without one, the first block feels them all.
    blocks = range(3) if isolation == "local" else [2]
    for l in blocks:
        torch.testing.assert_close(weighted[l], expected[l] * moved[l])
    if isolation == "none" and name != "equal":
        assert not torch.allclose(weighted[0], expected[0] * moved[0])


def test_sweep_is_the_goodness_of_every_candidate_label():
    algorithm = mlp("vanilla_ff")
    batch = batch_of()
    fused, blocks = algorithm.scores(batch.x)
    x = batch.x.flatten(1)
    for k in range(4):
        h = torch.cat([5.0 * torch.eye(4)[k].expand(len(x), 4), x[:, 4:]], 1)
        by_hand = []
        for l, block in enumerate(algorithm.backbone.blocks):
            h = torch.relu(block.linear(h))
            by_hand.append(h.square().mean(1))
            torch.testing.assert_close(blocks[l][:, k], by_hand[-1])
            h = h / h.square().mean(1, keepdim=True).sqrt()
        torch.testing.assert_close(fused[:, k], by_hand[1] + by_hand[2])  # the first block is left out


def test_one_pass_inference_reads_the_neutral_label():
    algorithm = mlp(algorithm_spec("vanilla_ff", {"fusion": "concat_linear", "fusion.first": 1}).recipe)
    x = batch_of().x
    calls = []
    algorithm.label_embedding.register_forward_hook(lambda m, args, out: calls.append(args[1]))
    features = algorithm.features(x)
    assert calls == [None]
    fused, _ = algorithm.scores(x)
    f = [nn.functional.layer_norm(h, h.shape[1:]) for h in features[1:]]
    torch.testing.assert_close(fused, algorithm.fusion_head.linear(torch.cat(f, 1)))


def test_negative_views_never_carry_the_true_label():
    algorithm = mlp("vanilla_ff")
    batch = batch_of(256)
    positive, negative = algorithm.views_of(batch)
    true = 5.0 * nn.functional.one_hot(batch.y, 4).float()
    right, wrong = (algorithm.label_embedding(v.x, v.y).flatten(1)[:, :4] for v in (positive, negative))
    assert torch.equal(right, true)
    assert not bool((wrong * true).any())


def test_best_range_is_chosen_on_the_validation_part():
    recipe = algorithm_spec("dtg_ff", {"fusion": "best_range"}).recipe
    algorithm = mlp(recipe)
    y = torch.tensor([0, 1, 2, 3])
    right, wrong = 9.0 * torch.eye(4), 9.0 * torch.eye(4).roll(1, 0)
    algorithm.fusion_head.calibrate([wrong, right, right], y)
    assert algorithm.fusion_head.range.tolist() == [2, 2]
    assert torch.equal(algorithm.fusion_head([wrong, right, right]).argmax(1), y)


def test_micro_batches_are_refused_where_they_would_learn_something_else():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU())
    backbone = partition(model, ["2", "4"], torch.randn(2, 1, 8, 8))
    algorithm = RecipeAlgorithm(backbone, 4, algorithm_spec("dtg_ff").recipe, FitOptions())
    algorithm.run_as(Execution(micro_batch=2))
    with pytest.raises(OptionError, match="batch statistics"):
        algorithm.train_step(batch_of())


def test_views_do_not_share_batch_statistics():
    """Positive and negative samples in one BatchNorm batch would leak which is which."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(12, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU())
    recipe = algorithm_spec("vanilla_ff").recipe
    algorithm = RecipeAlgorithm(partition(model, ["2", "4"], torch.randn(2, 12)), 4, recipe, FitOptions())
    batch = batch_of(shape=(12,))
    views = algorithm.views_of(Batch(batch.x, batch.y, generator=torch.Generator().manual_seed(1)))
    algorithm.train()
    goodness = [model[:3](algorithm.label_embedding(v.x, v.y)).square().mean(1) for v in views]
    expected = (nn.functional.softplus(-8 * (goodness[0] - 2)) + nn.functional.softplus(8 * (goodness[1] - 2))) / 2
    losses = algorithm.losses(Batch(batch.x, batch.y, generator=torch.Generator().manual_seed(1)))
    torch.testing.assert_close(losses[0], expected.mean())


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (Recipe(terms=(Term("mean_squares", "cross_entropy"),)), "accepts class scores"),
        (Recipe(terms=(Term("mean_squares", "logistic"),), label_embedding="overlay"), "expected other negatives"),
        (Recipe(terms=(Term("mean_squares", "logistic"),), negatives="wrong_label"), "needs labels in the input"),
        (Recipe(terms=(Term("mean_squares", "logistic"),), negatives="hybrid_images"), "expected fusion=concat_linear"),
        (Recipe(terms=(Term("projection", "cross_entropy", blocks="last"),)), "nothing would train it"),
        (Recipe(terms=(Term("projection", "cross_entropy"),), fusion=ConcatLinear(first=9)), "at most 2"),
        (Recipe(terms=(Term(Projection(projection="groups"), "cross_entropy"),)), "channel a class"),
        (Recipe(terms=(Term("native_head", "cross_entropy"),)), "no head of its own"),
        (Recipe(terms=(Term("projection", "cross_entropy"),), label_embedding="overlay"), "show it the right one"),
        (Recipe(terms=(Term("projection", "cross_entropy"),), negatives="hybrid_images"), "expected negatives=none"),
    ],
)
def test_parts_that_do_not_fit_are_refused_when_built(recipe, message):
    with pytest.raises(RecipeError, match=message):
        mlp(recipe, width=3)


def test_overlay_needs_room():
    with pytest.raises(RecipeError, match="5 labels over 3 inputs"):
        create("vanilla_ff", "mlp", (3,), 5)


@pytest.mark.parametrize("shape", [(6,), (2, 5, 5)])
def test_concat_widens_the_input(shape):
    recipe = algorithm_spec("vanilla_ff", {"label_embedding": "concat"}).recipe
    algorithm = create(recipe, "mlp", shape, 3)
    assert algorithm.backbone.input_shape == (shape[0] + 3, *shape[1:])
    assert algorithm.predict(torch.randn(2, *shape)).shape == (2, 3)


def test_two_terms_add_up_with_their_weights():
    one = Term(Projection(), "cross_entropy", weight=0.25)
    two = Term(Projection(power=1), "cross_entropy", weight=3.0, blocks="last")
    both, first, second = (mlp(Recipe(terms=t)) for t in ((one, two), (one,), (one, two)))
    assert [len(both.terms(l)) for l in range(3)] == [1, 1, 2]
    losses = both.losses(batch_of())
    parts = [loss(_scores(g, both, batch_of(), 2), _context(batch_of())) for g, loss, _ in both.terms(2)]
    torch.testing.assert_close(losses[2], 0.25 * parts[0] + 3.0 * parts[1])
    assert len(first.losses(batch_of())) == len(second.losses(batch_of())) == 3


def _scores(goodness, algorithm, batch, block):
    return (goodness(algorithm.features(batch.x)[block], None),)


def _context(batch):
    from ffzoo.parts.base import Context

    return Context(batch.y, (1,), 0, 1, 0, True, None)


def test_bf16_keeps_weights_and_losses_in_full_precision():
    algorithm = create("dtg_ff", "cnn", (1, 8, 8), 4)
    algorithm.run_as(Execution(precision="bf16"))
    metrics = algorithm.train_step(batch_of())
    assert all(v.dtype == torch.float32 for v in metrics.values())
    assert all(p.dtype == torch.float32 for p in algorithm.parameters())
    exact = create("dtg_ff", "cnn", (1, 8, 8), 4).train_step(batch_of())
    assert float(metrics["loss/8"]) == pytest.approx(float(exact["loss/8"]), rel=0.05)
    assert float(metrics["loss/8"]) != float(exact["loss/8"])  # it did run in bf16


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_goodness_and_fusion_read_and_write_full_precision(precision):
    recipe = algorithm_spec("dtg_ff", {"fusion": "concat_linear"}).recipe
    algorithm = create(recipe, "cnn", (1, 8, 8), 4)
    algorithm.run_as(Execution(precision=precision, closed_form=False))
    seen = []
    for part in (*(g[0] for g in algorithm.goodness), algorithm.fusion_head.linear):
        part.register_forward_hook(lambda m, args, out: seen.append(out.dtype))
    algorithm.fusion_head.linear.register_forward_hook(lambda m, args, out: seen.append(args[0].dtype))
    algorithm.train_step(batch_of())
    algorithm.scores(batch_of().x)
    assert len(seen) == 2 * 10 and set(seen) == {torch.float32}


def test_a_goodness_that_does_not_ask_for_half_precision_gets_none():
    algorithm = create(Recipe((Term("mean_squares", "logistic"),), "concat", "wrong_label"), "cnn", (1, 8, 8), 4)
    algorithm.run_as(Execution(precision="bf16", closed_form=False))
    seen = []
    for goodness in algorithm.goodness:
        goodness[0].register_forward_hook(lambda m, args, out: seen.append(args[0].dtype))
    algorithm.train_step(batch_of())
    assert set(seen) == {torch.float32}


def test_one_pass_prediction_walks_the_backbone_once():
    algorithm = mlp(algorithm_spec("vanilla_ff", {"fusion": "concat_linear"}).recipe)
    calls = []
    algorithm.backbone.blocks[0].register_forward_hook(lambda *_: calls.append(1))
    x = batch_of().x
    predicted = algorithm.predict(x)
    assert len(calls) == 1
    assert torch.equal(predicted, algorithm.scores(x)[0])


def test_a_step_after_the_schedule_still_moves_the_weights():
    """Else an audit after the last epoch would find every rule local."""
    from ffzoo.measure.locality import black_box

    algorithm = mlp("bp", optimizer="sgd", lr=0.1)
    algorithm.total_steps = algorithm.step_count = 10
    assert not black_box(algorithm, batch_of()).local


def test_logistic_threshold_scaled_by_width_is_hintons_sum_against_theta():
    h = torch.rand(5, 30)
    from ffzoo.parts.base import Build
    from ffzoo.parts.losses import Logistic as Loss

    loss = Loss(Logistic(threshold=1.0, scale="dim"), Build((30,), 4, 0, 1, torch.Generator()))
    context = _context(batch_of(5)).__class__(None, (1, -1), 0, 1, 0, True, None)
    got = loss((h.square().mean(1), h.flip(0).square().mean(1)), context)
    g = h.square().sum(1)
    want = (nn.functional.softplus(30 - g).mean() + nn.functional.softplus(g.flip(0) - 30).mean()) / 2
    torch.testing.assert_close(got, want)


def test_label_smoothing_is_the_trainings_and_reaches_every_block():
    batch = batch_of()
    plain, smooth = mlp("dtg_ff"), mlp("dtg_ff", label_smoothing=0.3)
    scores = plain.scores(batch.x)[1]
    for l, loss in enumerate(smooth.losses(batch)):
        torch.testing.assert_close(loss, nn.functional.cross_entropy(scores[l], batch.y, label_smoothing=0.3))
        assert not torch.equal(loss, plain.losses(batch)[l])


@pytest.mark.parametrize(
    "build",
    [
        lambda: FitOptions(schedule="cosin"),
        lambda: FitOptions(optimizer="lion"),
        lambda: FitOptions(lr=float("nan")),
        lambda: Execution(precision="fp16"),
        lambda: Projection(projection="lerned"),
        lambda: Term("projection", "cross_entropy", blocks="frist"),
    ],
)
def test_options_from_python_are_checked_like_those_of_the_command_line(build):
    with pytest.raises(OptionError, match="expected"):
        build()
