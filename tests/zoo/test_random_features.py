"""Random features with linear readouts and a probe, in numpy."""

from __future__ import annotations

import numpy as np

from ffzoo.testing.strategies import Toy
from tests.zoo import reference as ref


def test_blocks_stay_and_readouts_learn():
    algorithm, data = ref.build("random_features"), ref.batch()
    x, y = ref.numpy(data.x), ref.numpy(data.y)

    def loss(state: ref.Arrays, block: int) -> ref.Array:
        u = x
        for l in range(block + 1):
            h = ref.relu(ref.linear(u, state, l))
            u = ref.layernorm(h)
        readout = f"goodness.{block}.0."
        return ref.cross_entropy(h @ state[readout + "projection"] + state[readout + "bias"], y)

    before, after, losses = ref.step_and_losses(algorithm, data)
    ref.assert_losses(losses, lambda l: loss(before, l))
    for l in range(ref.DEPTH):
        for key in ("weight", "bias"):
            block = f"backbone.blocks.{l}.linear.{key}"
            np.testing.assert_array_equal(after[block], before[block])
        keys = [f"goodness.{l}.0.projection", f"goodness.{l}.0.bias"]
        ref.assert_updates(before, after, lambda s, l=l: loss(s, l), keys)


def test_the_probe_is_a_minimum_of_its_objective():
    algorithm = ref.build("random_features").float()
    toy = Toy((ref.INPUTS,), ref.CLASSES)
    algorithm.finish(toy, None)
    state = ref.arrays(algorithm.double())
    x = np.concatenate([ref.numpy(b.x) for b in toy]).astype(float)
    y = np.concatenate([ref.numpy(b.y) for b in toy])
    u, features = x, []
    for l in range(ref.DEPTH):
        features.append(ref.relu(ref.linear(u, state, l)))
        u = ref.layernorm(features[-1])
    f = np.concatenate(features, 1)
    deviation = f.std(0)
    f = (f - f.mean(0)) / np.where(deviation > 1e-6, deviation, np.inf)
    weight, bias = state["fusion_head.weight"], state["fusion_head.bias"]

    def objective(weight: ref.Array, bias: ref.Array) -> ref.Array:
        return ref.cross_entropy(f @ weight.T + bias, y) + 1e-4 * (weight**2).sum()

    assert np.abs(ref.gradient(lambda w: objective(w, bias), weight)).max() < 1e-5
    assert objective(weight, bias) < 0.1 < objective(0 * weight, 0 * bias)
