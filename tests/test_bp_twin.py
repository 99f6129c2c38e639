"""BP-DeepSup differs from DTG-FF by isolation alone, and isolation none is plain backprop."""

from __future__ import annotations

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from ffzoo import Batch, FitOptions, create
from ffzoo.algorithms.build import algorithm_spec
from ffzoo.backbones.options import CNN, MLP, ResNet

torch.set_num_threads(1)

CONFIG = {"mlp": MLP(14, 3), "cnn": CNN(10, 4), "resnet": ResNet(10, 4)}


def _batch(dtype=torch.float32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(8, 1, 8, 8, generator=generator, dtype=torch.float64).to(dtype)
    return Batch(x, torch.randint(5, (8,), generator=generator), generator=generator)


def _twins(backbone, changes=None, **fit):
    options = FitOptions(seed=4, **fit)
    return [
        create(algorithm_spec(name, changes), backbone, (1, 8, 8), 5, fit=options, backbone_config=CONFIG[backbone])
        for name in ("dtg_ff", "bp_deepsup")
    ]


def _gradients(algorithm, batch):
    total = torch.stack(algorithm.losses(batch)).sum()
    parameters = dict(algorithm.named_parameters())
    found = torch.autograd.grad(total, list(parameters.values()), allow_unused=True)
    return {n: torch.zeros_like(p) if g is None else g for (n, p), g in zip(parameters.items(), found, strict=True)}


@pytest.mark.parametrize("changes", [{}, {"fusion": "concat_linear"}, {"goodness.power": 1, "goodness.grid": 1}])
def test_the_two_recipes_differ_in_one_key(changes):
    local, deep = (algorithm_spec(name, changes).recipe.resolved() for name in ("dtg_ff", "bp_deepsup"))
    differing = [f.name for f in dataclasses.fields(local) if getattr(local, f.name) != getattr(deep, f.name)]
    assert differing == ["isolation"]
    assert (local.isolation, deep.isolation) == ("local", "none")
    assert local.replace(isolation="none") == deep
    assert local.fusion_grad == deep.fusion_grad


@pytest.mark.parametrize("backbone", CONFIG)
def test_twins_start_equal_and_part_by_the_gradient_alone(backbone):
    local, deep = _twins(backbone, {"fusion": "concat_linear"})
    a, b = local.state_dict(), deep.state_dict()
    assert a.keys() == b.keys()
    assert all(torch.equal(a[key], b[key]) for key in a), "initial parameters and frozen projections are equal"
    losses = [algorithm.losses(_batch()) for algorithm in (local, deep)]
    assert len(losses[0]) == local.backbone.depth + 1
    assert all(torch.equal(x, y) for x, y in zip(*losses, strict=True)), "first losses are equal"

    one, other = _gradients(local, _batch()), _gradients(deep, _batch())
    depth, unequal = local.backbone.depth, set()
    for name, gradient in one.items():
        owner = local.owner(name)
        if owner is None or owner == depth - 1:  # the fusion head and the last block
            assert gradient.any()
            torch.testing.assert_close(gradient, other[name], rtol=1e-5, atol=1e-7)
        elif not torch.allclose(gradient, other[name], rtol=1e-3, atol=1e-6):
            unequal.add(owner)
    assert unequal == set(range(depth - 1)), "every earlier block has another gradient under backprop"
    assert any(local.owner(name) is None for name in one), "the fusion head was compared"


@pytest.mark.parametrize("backbone", CONFIG)
def test_one_step_moves_the_last_block_alike_and_the_earlier_ones_apart(backbone):
    local, deep = _twins(backbone, optimizer="sgd", lr=0.05, schedule="constant")
    for algorithm in (local, deep):
        algorithm.train_step(_batch())
    last = local.backbone.depth - 1
    for (name, p), q in zip(local.backbone.named_parameters(), deep.backbone.parameters(), strict=True):
        if local.backbone.owner(name) == last:
            torch.testing.assert_close(p, q, rtol=1e-5, atol=1e-6)
        elif p.dim() > 1:
            assert not torch.allclose(p, q, rtol=1e-5, atol=1e-6), f"{name} should have parted"


def _reference(state, x, y, power):
    """DTG-FF's forward pass and losses, written out with nothing of the library's."""
    losses, h = [], x.flatten(1)
    for l in range(3):
        if l:
            h = (h - h.mean(1, keepdim=True)) / (h.var(1, unbiased=False, keepdim=True) + 1e-5).sqrt()
        h = torch.relu(h @ state[f"backbone.blocks.{l}.linear.weight"].T + state[f"backbone.blocks.{l}.linear.bias"])
        t = 0.1 + 1.9 / (1 + torch.exp(-state[f"goodness.{l}.0.alpha"]))
        z = (h**power) @ state[f"goodness.{l}.0.projection"] / t
        losses.append((torch.logsumexp(z, 1) - z[torch.arange(len(y)), y]).mean())
    return losses


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-12)])
@pytest.mark.parametrize("power", [1, 2])
def test_isolation_none_is_plain_backprop(power, dtype, tolerance):
    deep = _twins("mlp", {"goodness.power": power}, optimizer="sgd", lr=0.05, schedule="constant", weight_decay=0.0)[1]
    deep = deep.to(dtype)
    state = {key: value.detach().clone() for key, value in deep.state_dict().items()}
    leaves = {key: state[key].requires_grad_() for key, _ in deep.named_parameters()}
    for step in range(3):
        batch = _batch(dtype, step)
        losses = _reference(state, batch.x, batch.y, power)
        metrics = deep.train_step(_batch(dtype, step))
        for l, loss in enumerate(losses):
            expected = loss.item()
            assert abs(metrics[f"loss/{l + 1}"].item() - expected) <= 10 * tolerance * (1 + abs(expected))
        gradients = torch.autograd.grad(sum(losses), list(leaves.values()))
        with torch.no_grad():
            for leaf, gradient in zip(leaves.values(), gradients, strict=True):
                leaf -= 0.05 * gradient
        for key, p in deep.named_parameters():
            gap = (p - state[key]).abs().max().item()
            assert gap <= tolerance * 10 ** (step > 0), f"{key} differs by {gap:.1e} after {step + 1} steps"


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-12)])
def test_bp_is_plain_backprop_of_one_loss_on_the_last_block(dtype, tolerance):
    fit = FitOptions(seed=4, optimizer="sgd", lr=0.05, schedule="constant", weight_decay=0.0)
    bp = create("bp", "mlp", (1, 8, 8), 5, fit=fit, backbone_config=CONFIG["mlp"]).to(dtype)
    leaves = {name: p.detach().clone().requires_grad_() for name, p in bp.named_parameters()}
    batch = _batch(dtype)
    h = batch.x.flatten(1)
    for l in range(3):
        h = F.layer_norm(h, h.shape[1:]) if l else h
        h = F.relu(
            F.linear(h, leaves[f"backbone.blocks.{l}.linear.weight"], leaves[f"backbone.blocks.{l}.linear.bias"])
        )
    loss = F.cross_entropy(h @ leaves["goodness.2.0.projection"] + leaves["goodness.2.0.bias"], batch.y)
    gradients = torch.autograd.grad(loss, list(leaves.values()))
    metrics = bp.train_step(_batch(dtype))
    assert abs(metrics["loss/3"].item() - loss.item()) <= 10 * tolerance
    assert "loss/1" not in metrics
    for (name, p), leaf, gradient in zip(bp.named_parameters(), leaves.values(), gradients, strict=True):
        gap = (p - (leaf - 0.05 * gradient)).abs().max().item()
        assert gap <= tolerance, f"{name} differs by {gap:.1e}"


def test_bp_with_the_twins_head_reads_the_last_goodness_of_dtg_ff():
    fit = FitOptions(seed=4)
    twin = create(algorithm_spec("bp", {"head": "twin"}), "mlp", (1, 8, 8), 5, fit=fit, backbone_config=CONFIG["mlp"])
    local = _twins("mlp")[0]
    assert twin.config.terms[0].goodness == local.config.terms[0].goodness
    assert twin.config.forward_norm == local.config.forward_norm
    for p, q in zip(twin.backbone.parameters(), local.backbone.parameters(), strict=True):
        assert torch.equal(p, q)
