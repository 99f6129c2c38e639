"""Scalable Forward-Forward (arXiv:2501.03176) in numpy: the energies of one channel a class against each other."""

from __future__ import annotations

import numpy as np
import torch

from ffzoo.backbones.options import CNN
from tests.zoo import classes
from tests.zoo import reference as ref


def energies(h: ref.Array, state: ref.Arrays, block: int) -> ref.Array:
    return (h @ state[f"goodness.{block}.0.weight"].T + state[f"goodness.{block}.0.bias"]) ** 2


def log_sum_exp_margin(g: ref.Array, y: ref.Array) -> ref.Array:
    """How far a smooth maximum of all classes' goodness is above the right one's."""
    rows = [np.log(np.exp(row - row[k]).sum()) for row, k in zip(g, y, strict=True)]
    return sum(rows) / len(rows)


def test_updates():
    classes.check("sff", energies, ["weight", "bias"], loss=log_sum_exp_margin)


def test_goodness_of_a_map_is_the_mean_energy_of_its_positions():
    algorithm = ref.build("sff", backbone="cnn", shape=(1, 8, 8), config=CNN(width=4, depth=2))
    part, h = algorithm.goodness[0][0], classes.features(algorithm, 0)
    w, b = ref.numpy(part.weight)[:, :, 0, 0], ref.numpy(part.bias)
    expected = np.zeros((len(h), ref.CLASSES))
    for row, image in enumerate(h):
        for i in range(8):
            for j in range(8):
                expected[row] += (w @ image[:, i, j] + b) ** 2 / 64
    np.testing.assert_allclose(ref.numpy(part(torch.from_numpy(h))), expected, rtol=0, atol=1e-10)


def test_prediction_is_the_sum_of_the_goodness():
    algorithm, data = ref.build("sff"), ref.batch()
    state, u, total = ref.arrays(algorithm), ref.numpy(data.x), 0.0
    for l in range(ref.DEPTH):
        h = ref.relu(ref.linear(u, state, l))
        u, total = ref.layernorm(h), total + energies(h, state, l)
    np.testing.assert_allclose(ref.numpy(algorithm.predict(data.x)), total, rtol=0, atol=1e-10)
