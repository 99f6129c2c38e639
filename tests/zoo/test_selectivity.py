"""Selectivity and shape (arXiv:2604.13081) in numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from ffzoo_zoo.selectivity_parts import entmax15
from tests.zoo import pairs
from tests.zoo import reference as ref
from tests.zoo.test_ffdl import features


def kurtosis(h: ref.Array) -> ref.Array:
    centred = h - h.mean(1, keepdims=True)
    return (centred**4).mean(1) / ((centred**2).mean(1) + 1e-5) ** 2 - 3


def top_two(h: ref.Array) -> ref.Array:
    order = np.argsort(-(h.real**2), axis=1)[:, :2]
    return (np.take_along_axis(h, order, 1) ** 2).sum(1) / 2


@pytest.mark.parametrize(
    ("settings", "goodness"), [({}, kurtosis), ({"goodness": "top_k", "goodness.share": 0.25}, top_two)]
)
def test_goodness_loss_and_update(settings: dict[str, Any], goodness: Callable[[ref.Array], ref.Array]):
    algorithm, data = ref.build("selectivity", settings), ref.batch()
    x, y = ref.numpy(data.x), ref.numpy(data.y)

    def loss(state: ref.Arrays, block: int) -> ref.Array:
        positive, negative = (goodness(features(state, x, labels, block)) for labels in (y, pairs.wrong_labels(y)))
        return pairs.logistic(positive, negative, 1, 3)

    pairs.assert_step(algorithm, data, loss, lambda block: [f"label_embedding.projections.{block}"])
    score = lambda s, k: sum(goodness(features(s, x, k, l)) for l in range(ref.DEPTH))  # noqa: E731
    pairs.assert_predicts(algorithm, x, score)


def entmax(scores: ref.Array) -> ref.Array:
    """Of one row: max(0, scores / 2 - tau)^2 with the tau, found by bisection, at which it sums to 1."""
    low, high = scores.max() / 2 - 1, scores.max() / 2
    for _ in range(100):
        tau = (low + high) / 2
        low, high = (tau, high) if (np.maximum(scores / 2 - tau, 0) ** 2).sum() > 1 else (low, tau)
    return np.maximum(scores / 2 - tau, 0) ** 2


@pytest.mark.parametrize("scale", [0.0, 0.1, 1.0, 30.0])
def test_entmax_weights_and_their_gradient(scale: float):
    """With s = sqrt(p), dp_i/dscore_j is s_i [i = j] - s_i s_j / sum s."""
    scores = scale * torch.randn(5, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).square()
    scores.requires_grad_()
    p = entmax15(scores)
    e = ref.numpy(scores)
    expected = np.stack([entmax(row) for row in e])
    np.testing.assert_allclose(ref.numpy(p), expected, rtol=0, atol=1e-10)
    ((p * scores).sum()).backward()
    s = np.sqrt(expected)
    slope = expected + s * e - s * (s * e).sum(1, keepdims=True) / s.sum(1, keepdims=True)
    np.testing.assert_allclose(ref.numpy(scores.grad), slope, rtol=0, atol=1e-10)


@pytest.mark.parametrize("excess", [0.0, 2e-4, 1e-3, 6e-3, 0.1])
def test_entmax_of_one_peak_above_many_dead_units(excess: float):
    """A wide layer may be all zeros but for one unit: in float32 its sums of squares cancel."""
    scores = torch.zeros(1, 65536)
    scores[0, 7] = 2 * (1 + excess)
    scores.requires_grad_()
    p = entmax15(scores)
    p.sum().backward()
    assert bool(p.isfinite().all()) and bool(scores.grad.isfinite().all())
    assert float(p.detach().sum()) == pytest.approx(1, abs=1e-3)
    assert float(p.detach()[0, 7]) == pytest.approx(1, abs=1e-3)


def test_entmax_energy_is_the_weighted_energy():
    algorithm, data = ref.build("selectivity", {"goodness": "entmax_energy"}), ref.batch()
    h = features(ref.arrays(algorithm), ref.numpy(data.x), ref.numpy(data.y), 0)
    goodness, _, _ = algorithm.terms(0)[0]
    expected = [(entmax(row**2) * row**2).sum() for row in h]
    np.testing.assert_allclose(ref.numpy(goodness(torch.from_numpy(h))), expected, rtol=0, atol=1e-10)
