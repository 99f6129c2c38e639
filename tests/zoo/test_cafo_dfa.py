"""Cascaded forward with blocks trained by direct feedback alignment (arXiv:2303.09728) in numpy."""

from __future__ import annotations

import numpy as np

from tests.zoo import passes
from tests.zoo import reference as ref


def predictors(state: ref.Arrays, seen: passes.Pass) -> list[ref.Array]:
    weights = [(state[f"predictors.{l}.weight"], state[f"predictors.{l}.bias"]) for l in range(ref.DEPTH)]
    return [passes.softmax(h @ w.T + b) for h, (w, b) in zip(seen.h, weights, strict=True)]


def test_every_update():
    data = ref.batch()
    x, y = ref.numpy(data.x), ref.numpy(data.y)
    before, after, losses = ref.step_and_losses(ref.build("cafo_dfa"), data)
    seen = passes.blocks(before, x)
    error = passes.output(before, seen.f) - ref.onehot(y)
    gradients = passes.output_layer(error, seen.f)
    predicted = predictors(before, seen)
    for l, p in enumerate(predicted):
        own = p - ref.onehot(y)
        gradients[f"predictors.{l}.weight"] = own.T @ seen.h[l] / len(x)
        gradients[f"predictors.{l}.bias"] = own.mean(0)
        delta = (error @ before[f"feedback.{l}"]) * (seen.a[l] > 0)
        gradients |= passes.layer(delta, seen.u[l], l)
    passes.assert_moved(before, after, gradients)
    ref.assert_losses(losses, lambda l: passes.surprise(predicted[l], ref.onehot(y)))


def test_prediction_is_the_sum_of_probabilities():
    algorithm, data = ref.build("cafo_dfa"), ref.batch()
    state = ref.arrays(algorithm)
    p = predictors(state, passes.blocks(state, ref.numpy(data.x)))
    scores, blocks = algorithm.scores(data.x)
    np.testing.assert_allclose(ref.numpy(scores), sum(p), rtol=0, atol=1e-12)
    for mine, theirs in zip(p, blocks, strict=True):
        np.testing.assert_allclose(ref.numpy(theirs), mine, rtol=0, atol=1e-12)
