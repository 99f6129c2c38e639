"""Muon for filters, AdamW for the rest: updates, norms, rates, resume."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from ffzoo.algorithms.build import algorithm_spec
from ffzoo.algorithms.engine import RecipeAlgorithm
from ffzoo.algorithms.optimizers import HEAD, BlockOptimizers
from ffzoo.algorithms.options import FitOptions
from ffzoo.backbones.options import WhitenedCNN
from ffzoo.backbones.whitened import WhitenedCNNBackbone
from ffzoo.data.batch import Batch
from ffzoo.errors import OptionError
from ffzoo.kernels.muon import orthogonalized
from ffzoo.measure.locality import probe, same_bits, state_of


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def optimizers(parameters: list[nn.Parameter], **fit: object) -> BlockOptimizers:
    options = {"optimizer": "muon", "weight_decay": 0.0, "schedule": "constant"} | fit
    return BlockOptimizers([parameters], [], FitOptions(**options))  # type: ignore[arg-type]


def newton_schulz(x: Tensor, steps: int = 3) -> Tensor:
    """Keller Jordan's iteration."""
    x = x / x.norm()
    flip = x.shape[0] > x.shape[1]
    x = x.T if flip else x
    for _ in range(steps):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.T if flip else x


@pytest.mark.parametrize("shape", [(8, 4, 3, 3), (40, 2, 3, 3), (6, 1, 3, 3)])
def test_filters_follow_the_orthogonalized_nesterov_momentum(shape):
    weight = nn.Parameter(drawn(*shape))
    made = optimizers([weight], muon_lr=0.2, muon_momentum=0.6)
    expected, momentum = weight.detach().clone(), torch.zeros(shape)
    for step in range(3):
        weight.grad = drawn(*shape, seed=step + 1)
        momentum = 0.6 * momentum + weight.grad
        update = newton_schulz((weight.grad + 0.6 * momentum).flatten(1)).view(shape)
        expected -= 0.2 * update
        made.step(0)
        assert weight.grad is None
        torch.testing.assert_close(weight.detach(), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(8, 36), (36, 8), (20, 20), (1, 9), (3, 3)])
def test_orthogonalized_is_the_plain_iteration(shape):
    """In the space of the smaller side, against the textbook's form."""
    x = drawn(*shape).double()
    found = orthogonalized(x)
    torch.testing.assert_close(found, newton_schulz(x), rtol=1e-10, atol=1e-10)
    flat = torch.zeros(4, 9)
    assert orthogonalized(flat).eq(0).all()


def test_no_gradient_no_update():
    bank = nn.Parameter(drawn(4, 2, 3, 3))
    before = bank.detach().clone()
    optimizers([bank], weight_decay=0.5).step(0)
    assert torch.equal(bank, before)


def test_everything_that_is_no_filter_has_adamw():
    shapes = [(5, 7), (7,), (), (3, 4, 5)]
    parameters = [nn.Parameter(drawn(*s)) for s in [*shapes, (4, 2, 3, 3)]]
    twins = [nn.Parameter(p.detach().clone()) for p in parameters[:-1]]
    made = optimizers(parameters, lr=3e-3, weight_decay=0.1)
    groups = [{"params": [twins[0], twins[3]], "weight_decay": 0.1}, {"params": twins[1:3], "weight_decay": 0.0}]
    adamw = torch.optim.AdamW(groups, lr=3e-3)
    for step in range(3):
        for p, twin in zip(parameters, twins, strict=False):
            p.grad = drawn(*p.shape, seed=step)
            twin.grad = p.grad.clone()
        parameters[-1].grad = drawn(4, 2, 3, 3)
        made.step(0)
        adamw.step()
    for p, twin in zip(parameters, twins, strict=False):
        torch.testing.assert_close(p, twin, rtol=1e-6, atol=1e-7)


def test_filters_are_scaled_to_their_norm_before_each_update():
    bank, matrix = nn.Parameter(5 * drawn(16, 4, 3, 3)), nn.Parameter(5 * drawn(8, 8))
    made = optimizers([bank, matrix], filter_norm=True, muon_lr=1e-9, lr=1e-9)
    before = bank.detach().clone()
    for p in (bank, matrix):
        p.grad = drawn(*p.shape, seed=1)
    made.step(0)
    # At a rate of almost nothing the scaling is all there is.
    torch.testing.assert_close(bank.norm(), torch.tensor(4.0))
    torch.testing.assert_close(bank / 4, before / before.norm())
    assert matrix.norm() > 20
    zero = nn.Parameter(torch.zeros(4, 2, 3, 3))
    zero.grad = drawn(4, 2, 3, 3)
    optimizers([zero], filter_norm=True).step(0)
    assert zero.isfinite().all() and zero.any()


def test_a_kept_norm_replaces_weight_decay():
    banks = [nn.Parameter(drawn(4, 2, 3, 3)) for _ in range(2)]
    for bank, decay in zip(banks, (0.0, 0.5), strict=True):
        bank.grad = drawn(4, 2, 3, 3, seed=1)
        optimizers([bank], filter_norm=True, weight_decay=decay).step(0)
    assert torch.equal(*banks)


def test_weight_decay_keeps_its_meaning_without_the_norm():
    plain, decayed = (nn.Parameter(drawn(4, 2, 3, 3)) for _ in range(2))
    for p, decay in ((plain, 0.0), (decayed, 0.1)):
        start = p.detach().clone()
        p.grad = drawn(4, 2, 3, 3, seed=1)
        optimizers([p], weight_decay=decay, muon_lr=0.2).step(0)
    torch.testing.assert_close(plain - decayed, 0.2 * 0.1 * start)


def test_the_schedule_reaches_both_groups():
    bank, bias = nn.Parameter(drawn(4, 2, 3, 3)), nn.Parameter(drawn(4))
    made = optimizers([bank, bias], lr=5e-3, muon_lr=0.2)
    made.set_rate(0.25)
    rates = {group["params"][0].dim(): group["lr"] for o in made._by_owner["0"] for group in o.param_groups}
    assert rates == {4: pytest.approx(0.05), 1: pytest.approx(1.25e-3)}
    before = [p.detach().clone() for p in (bank, bias)]
    made.set_rate(0.0)
    bank.grad, bias.grad = drawn(4, 2, 3, 3), drawn(4)
    made.step(0)
    assert all(torch.equal(p, b) for p, b in zip((bank, bias), before, strict=True))
    head = BlockOptimizers([], [bias], FitOptions(optimizer="muon"), head_lr=0.7)
    assert [group["lr"] for o in head._by_owner[HEAD] for group in o.param_groups] == [0.7]


def algorithm() -> RecipeAlgorithm:
    torch.manual_seed(0)
    fit = FitOptions(optimizer="muon", filter_norm=True, lr=5e-3, schedule="linear", warmup=0.1, epochs=1)
    backbone = WhitenedCNNBackbone(WhitenedCNN((6, 6, 8)), (3, 8, 8))
    recipe = algorithm_spec("dtg_ff", {"goodness.projection": "learned", "fusion": "concat_linear"}).recipe
    made = RecipeAlgorithm(backbone, 4, recipe, fit)
    made.total_steps = 12
    return made.to(memory_format=torch.channels_last)


def batch_of(step: int) -> Batch:
    return Batch(drawn(8, 3, 8, 8, seed=step), torch.arange(8) % 4, generator=torch.Generator().manual_seed(step))


def test_a_resumed_run_goes_on_bit_for_bit():
    whole = algorithm()
    for step in range(4):
        whole.train_step(batch_of(step))
    tensors, values = whole.training_state()
    tensors = {k: v.contiguous().clone() for k, v in tensors.items()}  # as a checkpoint holds them
    assert {k.rpartition(".")[2] for k in tensors} == {"momentum", "step", "exp_avg", "exp_avg_sq"}
    kept = copy.deepcopy(tensors)
    resumed = algorithm()
    resumed.load_state_dict(whole.state_dict())
    resumed.load_training_state(tensors, values)
    for step in range(4, 8):
        whole.train_step(batch_of(step))
        resumed.train_step(batch_of(step))
        first, second = state_of(whole), state_of(resumed)
        assert first.keys() == second.keys()
        assert all(same_bits(first[k], second[k]) for k in first)
    # What was loaded is the caller's still.
    assert all(same_bits(tensors[k], kept[k]) for k in tensors)


def test_every_block_has_its_own():
    assert probe(algorithm(), batch_of(0)).strictly_local


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"filter_norm": True}, "filter_norm=true needs fit.optimizer=muon"),
        ({"muon_lr": 0.0}, "muon_lr is 0.0"),
        ({"muon_momentum": 1.0}, r"in \[0, 1\)"),
    ],
)
def test_bad_options_are_refused(options, words):
    with pytest.raises(OptionError, match=words):
        FitOptions(**options)
