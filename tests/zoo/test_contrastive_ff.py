"""Contrastive Forward-Forward (arXiv:2502.00571) in numpy, with loops over pairs."""

from __future__ import annotations

import numpy as np
import torch

from ffzoo.algorithms.engine import make_part
from ffzoo_zoo.contrastive_ff import SecondView
from tests.zoo import reference as ref

TEMPERATURE, FIRST, LAST = 0.15, 0.4, 0.1


def contrast(e: ref.Array, y: ref.Array, temperature: float, margin: float = 0.0) -> ref.Array:
    """Supervised contrast of embeddings (B, D), pair by pair."""
    rows = len(e)
    length = [np.sqrt((v**2).sum()) if np.any(v) else 1.0 for v in e]  # no features, a cosine of 0 with everything
    cosine = [[(e[i] * e[j]).sum() / (length[i] * length[j]) for j in range(rows)] for i in range(rows)]
    total = 0.0
    for i in range(rows):
        score = {}
        for j in range(rows):
            if j != i:
                close = cosine[i][j] + margin
                score[j] = (cosine[i][j] if y[i] != y[j] else close if close.real < 1 else 1.0) / temperature
        evidence = np.log(sum(np.exp(s) for s in score.values()))
        alike = [j for j in score if y[j] == y[i]]
        if alike:
            total = total - sum(score[j] - evidence for j in alike) / len(alike)
    return total / rows


def test_goodness_loss_and_update():
    algorithm, data = ref.build("contrastive_ff", {"negatives.noise": 0.5}), ref.batch()
    x, y = ref.numpy(data.x), ref.numpy(data.y)
    noise = torch.randn(data.x.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64).numpy()

    def loss(state: ref.Arrays, block: int) -> ref.Array:
        u = np.concatenate([x, x + 0.5 * noise])
        for l in range(block + 1):
            h = ref.relu(ref.linear(u, state, l))
            u = ref.layernorm(h)
        margin = FIRST + (LAST - FIRST) * block / (ref.DEPTH - 1)
        return contrast(h @ state[f"goodness.{block}.0.weight"], np.concatenate([y, y]), TEMPERATURE, margin)

    before, after = ref.step(algorithm, data)
    metrics = ref.build("contrastive_ff", {"negatives.noise": 0.5}).train_step(ref.batch())
    for l in range(ref.DEPTH):
        keys = [f"backbone.blocks.{l}.linear.weight", f"backbone.blocks.{l}.linear.bias", f"goodness.{l}.0.weight"]
        ref.assert_updates(before, after, lambda s, l=l: loss(s, l), keys)
        np.testing.assert_allclose(float(metrics[f"loss/{l + 1}"]), loss(before, l).real, rtol=0, atol=1e-10)


def test_the_second_view_is_moved_mirrored_and_noisy():
    x = torch.arange(2 * 5 * 6.0).view(1, 2, 5, 6).expand(200, -1, -1, -1)
    y = torch.zeros(200, dtype=torch.int64)
    same = make_part("negatives", SecondView(shift=0, noise=0.0), 4)(x, y, torch.Generator())[0]
    assert same.equal(x)
    mirrored = make_part("negatives", SecondView(shift=0, flip=True, noise=0.0), 4)(x, y, torch.Generator())[0]
    assert all(v.equal(x[0]) or v.equal(x[0].flip(2)) for v in mirrored)
    assert 50 < sum(v.equal(x[0]) for v in mirrored) < 150
    moved = make_part("negatives", SecondView(shift=1, noise=0.0), 4)(x, y, torch.Generator())[0]
    inner = {int(v[0, 2, 2] - x[0, 0, 2, 2]) for v in moved}  # 6 rows down, 1 column right
    assert inner == {6 * r + c for r in (-1, 0, 1) for c in (-1, 0, 1)}
    noisy = make_part("negatives", SecondView(shift=0, noise=0.5), 4)(x, y, torch.Generator())[0]
    np.testing.assert_allclose((noisy - x).std(), 0.5, rtol=0.1)
