"""Stochastic Forward-Forward (arXiv:2505.16649) in numpy, with loops over samples, pairs of channels and positions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ffzoo.algorithms.making import make_goodness_part, make_part
from ffzoo.parts.base import Build, Context
from ffzoo_zoo.stochastic_ff import Dimensionality, NoisyCopy
from ffzoo_zoo.stochastic_ff_parts import effective_dimensionality
from tests.zoo import reference as ref


def dimensionality(vectors: list[ref.Array]) -> ref.Array:
    """Observations, each a vector of channels -> their effective dimensionality."""
    channels = range(len(vectors[0]))
    c = [[sum(v[i] * v[j] for v in vectors) / (len(vectors) - 1) for j in channels] for i in channels]
    return sum(c[i][i] for i in channels) ** 2 / (sum(c[i][j] ** 2 for i in channels for j in channels) + 1e-6)


def rule(clean: ref.Array, noisy: ref.Array, within: float = 0.5, between: float = 0.5) -> ref.Array:
    """Responses (B, C, P) of samples and of their copies -> the loss."""
    positions = range(clean.shape[2])
    copies = [[h[:, p] for p in positions] + [k[:, p] for p in positions] for h, k in zip(clean, noisy, strict=True)]
    means = [(h[:, p] + k[:, p]) / 2 for h, k in zip(clean, noisy, strict=True) for p in positions]
    return within * sum(map(dimensionality, copies)) / len(clean) - between * dimensionality(means)


def test_goodness_loss_and_update():
    algorithm, data = ref.build("stochastic_ff"), ref.batch()
    x = ref.numpy(data.x)
    kept = torch.rand(data.x.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64).numpy() >= 0.2

    def loss(state: ref.Arrays, block: int) -> ref.Array:
        views = []
        for u in (x, x * kept / 0.8):
            for l in range(block + 1):
                h = ref.relu(ref.linear(u, state, l))
                u = (h - h.mean(0)) / np.sqrt(((h - h.mean(0)) ** 2).mean(0) + 1e-5)
            views.append(h[:, :, None])
        return rule(*views)

    before, after = ref.step(algorithm, data)
    metrics = ref.build("stochastic_ff").train_step(ref.batch())
    for l in range(ref.DEPTH):
        keys = [f"backbone.blocks.{l}.linear.weight", f"backbone.blocks.{l}.linear.bias"]
        ref.assert_updates(before, after, lambda s, l=l: loss(s, l), keys)
        np.testing.assert_allclose(float(metrics[f"loss/{l + 1}"]), loss(before, l).real, rtol=0, atol=1e-10)


@pytest.mark.parametrize("shape", [(5, 3, 2), (2, 3, 3)])
def test_positions_of_a_map_are_observations(shape):
    h, k = torch.rand(2, 4, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    build = Build(shape, 3, 0, 2, torch.Generator())
    goodness = make_goodness_part("responses", build, None)
    loss = make_part("local_losses", Dimensionality(within=0.3, between=0.9), build)
    ctx = Context(None, (1, 1), 0, 2, 0, True, None)
    found = loss((goodness(h, ctx), goodness(k, ctx)), ctx)
    clean, noisy = (v.flatten(2).numpy() for v in (h, k))
    np.testing.assert_allclose(found, rule(clean, noisy, 0.3, 0.9), rtol=0, atol=1e-10)


def test_effective_dimensionality_counts_the_directions():
    line = 10 * torch.outer(torch.rand(7), torch.rand(40) - 0.5)
    even = torch.eye(7).repeat(1, 6)
    found = effective_dimensionality(torch.stack([line, torch.nn.functional.pad(even, (0, -2))]))
    np.testing.assert_allclose(found, [1, 7], rtol=0.02)


def test_a_fifth_of_the_inputs_is_dropped_and_the_mean_stays():
    x, y = torch.ones(200, 50), torch.zeros(200, dtype=torch.int64)
    copy, labels = make_part("negatives", NoisyCopy(), 4)(x, y, torch.Generator().manual_seed(0))
    assert labels.equal(y) and set(copy.unique().tolist()) == {0.0, 1.25}
    np.testing.assert_allclose(copy.mean(), 1.0, atol=0.02)
