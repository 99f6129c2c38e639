"""Local error signals (arXiv:1901.06656) in numpy: a linear classifier, and similarity matching."""

from __future__ import annotations

import numpy as np
import torch

from ffzoo.backbones.options import CNN
from tests.zoo import classes
from tests.zoo import reference as ref


def classifier(h: ref.Array, state: ref.Arrays, block: int) -> ref.Array:
    return h @ state[f"goodness.{block}.0.projection"] + state[f"goodness.{block}.0.bias"]


def similarity(e: ref.Array) -> ref.Array:
    """Cosines of the rows, each less its own mean."""
    centred = e - e.mean(1, keepdims=True)
    unit = centred / np.sqrt((centred**2).sum(1, keepdims=True))
    return unit @ unit.T


def test_updates_of_pred():
    classes.check("nokland_pred", classifier, ["projection", "bias"])


def test_updates_of_predsim():
    algorithm, data = ref.build("nokland_predsim"), ref.batch()
    y = ref.numpy(data.y)

    def loss(state: ref.Arrays, block: int) -> ref.Array:
        u = ref.numpy(data.x)
        for l in range(block + 1):
            h = ref.relu(ref.linear(u, state, l))
            u = ref.layernorm(h)
        e = h @ state[f"goodness.{block}.1.weight"].T
        matching = ((similarity(e) - similarity(ref.onehot(y))) ** 2).mean()
        return 0.01 * ref.cross_entropy(classifier(h, state, block), y) + 0.99 * matching

    before, after, losses = ref.step_and_losses(algorithm, data)
    ref.assert_losses(losses, lambda l: loss(before, l))
    for l in range(ref.DEPTH):
        keys = [f"backbone.blocks.{l}.linear.{name}" for name in ("weight", "bias")]
        keys += [f"goodness.{l}.{name}" for name in ("0.projection", "0.bias", "1.weight")]
        ref.assert_updates(before, after, lambda s, l=l: loss(s, l), keys)


def test_similarity_of_maps_is_measured_on_deviations_of_a_convolution():
    algorithm = ref.build("nokland_predsim", backbone="cnn", shape=(1, 8, 8), config=CNN(width=4, depth=2))
    part = algorithm.goodness[0][1]
    h, w = classes.features(algorithm, 0), ref.numpy(part.weight)
    padded = np.pad(h, ((0, 0), (0, 0), (1, 1), (1, 1)))
    e = np.zeros_like(h)
    for i in range(8):
        for j in range(8):
            e[:, :, i, j] = np.einsum("bcij,ocij->bo", padded[:, :, i : i + 3, j : j + 3], w)
    found = ref.numpy(part(torch.from_numpy(h)))
    np.testing.assert_allclose(found, np.sqrt(e.var((2, 3)) + 1e-6), rtol=0, atol=1e-10)
