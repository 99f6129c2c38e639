"""Self-contrastive Forward-Forward (arXiv:2409.11593) in numpy, with loops over positions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ffzoo.algorithms.build import algorithm_spec
from ffzoo.algorithms.engine import make_goodness_part, make_part
from ffzoo.errors import OptionError
from ffzoo.parts.base import Build, Context
from tests.zoo import reference as ref

UP, DOWN, PENALTY = 1.0, 2.0, 0.001


def map_loss(positive: ref.Array, negative: ref.Array) -> ref.Array:
    """Maps (B, C, H, W) of the two views -> the loss, sample by sample and position by position."""
    total = 0.0
    for h, k in zip(positive, negative, strict=True):
        energies, terms = [], []
        for r in range(h.shape[1]):
            for c in range(h.shape[2]):
                g, n = (h[:, r, c] ** 2).mean(), (k[:, r, c] ** 2).mean()
                energies.append(g)
                terms.append(ref.softplus(UP - g) + ref.softplus(n - DOWN))
        total = total + sum(terms) / len(terms) + PENALTY * np.sqrt(sum(g**2 for g in energies))
    return total / len(positive)


def test_goodness_loss_and_update():
    algorithm, data = ref.build("scff"), ref.batch()
    x = ref.numpy(data.x)
    shift = int(torch.randint(1, ref.ROWS, (), generator=torch.Generator().manual_seed(1)))
    others = x[(np.arange(ref.ROWS) - shift) % ref.ROWS]

    def loss(state: ref.Arrays, block: int) -> ref.Array:
        maps = []
        for u in (x + x, x + others):
            for l in range(block + 1):
                h = ref.relu(ref.linear(u, state, l))
                u = ref.layernorm(h)
            maps.append(h[:, :, None, None])
        return map_loss(*maps)

    before, after = ref.step(algorithm, data)
    metrics = ref.build("scff").train_step(ref.batch())
    for l in range(ref.DEPTH):
        keys = [f"backbone.blocks.{l}.linear.weight", f"backbone.blocks.{l}.linear.bias"]
        ref.assert_updates(before, after, lambda s, l=l: loss(s, l), keys)
        np.testing.assert_allclose(float(metrics[f"loss/{l + 1}"]), loss(before, l).real, rtol=0, atol=1e-10)


def test_maps_have_a_goodness_a_position():
    h, k = torch.rand(2, 4, 5, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    build = Build((5, 3, 2), 3, 0, 2, torch.Generator())
    goodness = make_goodness_part("energy_map", build, None)
    loss = make_part("local_losses", algorithm_spec("scff").recipe.terms[0].loss, build)
    ctx = Context(None, (1, -1), 0, 2, 0, True, None)
    value = float(loss((goodness(h, ctx), goodness(k, ctx)), ctx))
    np.testing.assert_allclose(value, map_loss(h.numpy(), k.numpy()), rtol=0, atol=1e-10)


def test_a_sample_is_never_its_own_negative():
    pairs = make_part("negatives", "self_concatenation", 4)
    x = torch.arange(5.0)[:, None]
    for seed in range(20):
        other = pairs(x, torch.zeros(5), torch.Generator().manual_seed(seed))[0] - x
        assert sorted(other.flatten().tolist()) == [0, 1, 2, 3, 4] and not (other == x).any()
    with pytest.raises(OptionError, match="at least 2"):
        pairs(x[:1], torch.zeros(1), None)
