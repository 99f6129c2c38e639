"""Backprop of one loss, and of a loss at every block, with the backward pass written out in numpy."""

from __future__ import annotations

import numpy as np
import pytest

from tests.zoo import passes
from tests.zoo import reference as ref


def back_through_norm(delta: ref.Array, h: ref.Array) -> ref.Array:
    """The gradient at h, given the one at layernorm(h)."""
    u, deviation = ref.layernorm(h), np.sqrt(h.var(1, keepdims=True) + 1e-5)
    return (delta - delta.mean(1, keepdims=True) - u * (delta * u).mean(1, keepdims=True)) / deviation


def backward(state: ref.Arrays, seen: passes.Pass, own: list[ref.Array | float]) -> dict[str, ref.Array]:
    """Gradients of all blocks, given what the loss at each block leaves at its features, sample by sample."""
    gradients, passed_on = {}, 0.0
    for l in reversed(range(ref.DEPTH)):
        delta = (own[l] + passed_on) * (seen.a[l] > 0)
        gradients |= passes.layer(delta, seen.u[l], l)
        if l > 0:
            passed_on = back_through_norm(delta @ state[f"backbone.blocks.{l}.linear.weight"], seen.h[l - 1])
    return gradients


def linear(h: ref.Array, y: ref.Array, state: ref.Arrays, block: int) -> tuple[ref.Array, ref.Array, dict]:
    """Scores h W + b, the gradient at h, and those of W and b."""
    name = f"goodness.{block}.0."
    z = h @ state[name + "projection"] + state[name + "bias"]
    error = passes.softmax(z) - ref.onehot(y)
    gradients = {name + "projection": h.T @ error / len(h), name + "bias": error.mean(0)}
    return z, error @ state[name + "projection"].T, gradients


def twin(h: ref.Array, y: ref.Array, state: ref.Arrays, block: int) -> tuple[ref.Array, ref.Array, dict]:
    """Scores h^2 P / T of dtg_ff, T between 0.1 and 2, the gradient at h, and that of T's scalar; P stays."""
    name = f"goodness.{block}.0."
    share = 1 / (1 + np.exp(-state[name + "alpha"]))
    t, slope = 0.1 + 1.9 * share, 1.9 * share * (1 - share)
    z = h**2 @ state[name + "projection"] / t
    error = passes.softmax(z) - ref.onehot(y)
    gradients = {name + "alpha": -slope * (error * z).sum(1).mean() / t}
    return z, 2 * h * (error @ state[name + "projection"].T) / t, gradients


@pytest.mark.parametrize(
    ("name", "settings", "readout", "supervised"),
    [
        ("bp", {}, linear, [ref.DEPTH - 1]),
        ("bp", {"head": "twin"}, twin, [ref.DEPTH - 1]),
        ("bp_deepsup", {}, twin, list(range(ref.DEPTH))),
    ],
)
def test_scores_losses_and_every_update(name, settings, readout, supervised):
    algorithm, data = ref.build(name, settings), ref.batch()
    x, y = ref.numpy(data.x), ref.numpy(data.y)
    prediction = ref.numpy(algorithm.predict(data.x))
    before, after, losses = ref.step_and_losses(algorithm, data)
    seen = passes.blocks(before, x)
    z, own, gradients = {}, [0.0] * ref.DEPTH, {}
    for l in supervised:
        z[l], own[l], learned = readout(seen.h[l], y, before, l)
        gradients |= learned
    passes.assert_moved(before, after, gradients | backward(before, seen, own))
    ref.assert_losses(losses, lambda l: ref.cross_entropy(z[l], y), supervised)
    expected = sum(ref.log_softmax(scores) for scores in z.values()) if name == "bp_deepsup" else z[ref.DEPTH - 1]
    np.testing.assert_allclose(prediction, expected, rtol=0, atol=1e-10)
