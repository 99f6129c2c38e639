"""Cascaded forward with random blocks (arXiv:2303.09728) in numpy."""

from __future__ import annotations

import numpy as np

from tests.zoo import classes
from tests.zoo import reference as ref

EPS, MOMENTUM = 1e-5, 0.1


def over_batch(h: ref.Array) -> ref.Array:
    """Mean 0 and variance 1 of each unit over the batch."""
    centred = h - h.mean(0)
    return centred / np.sqrt((centred**2).mean(0) + EPS)


def predictor(h: ref.Array, state: ref.Arrays, block: int) -> ref.Array:
    return over_batch(h) @ state[f"goodness.{block}.0.projection"]


def test_predictors_learn_and_blocks_do_not():
    algorithm = ref.build("cafo")
    before, after, losses = ref.step_and_losses(algorithm, ref.batch())
    loss = lambda s, l: classes.block_loss(predictor, ref.cross_entropy, over_batch, s, l)  # noqa: E731
    for l in range(ref.DEPTH):
        ref.assert_updates(before, after, lambda s, l=l: loss(s, l), [f"goodness.{l}.0.projection"])
    ref.assert_losses(losses, lambda l: loss(before, l))
    for key, value in after.items():
        if key.startswith("backbone"):
            np.testing.assert_array_equal(value, before[key], err_msg=key)


def test_prediction_is_the_sum_of_probabilities_with_running_statistics():
    algorithm, data = ref.build("cafo"), ref.batch()
    before, after = ref.step(algorithm, data)
    u, v, total = ref.numpy(data.x), ref.numpy(data.x), 0.0
    for l in range(ref.DEPTH):
        seen = ref.relu(ref.linear(u, before, l))  # in the step
        mean, variance = MOMENTUM * seen.mean(0), (1 - MOMENTUM) + MOMENTUM * seen.var(0, ddof=1)
        u = over_batch(seen)
        v = (ref.relu(ref.linear(v, after, l)) - mean) / np.sqrt(variance + EPS)  # in the prediction
        total = total + np.exp(ref.log_softmax(v @ after[f"goodness.{l}.0.projection"]))
    np.testing.assert_allclose(ref.numpy(algorithm.predict(data.x)), total, rtol=0, atol=1e-10)
