"""AugLocal (arXiv:2402.17318) in numpy: auxiliary networks shaped like later blocks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ffzoo.backbones.options import CNN
from ffzoo_zoo.auglocal_parts import sampled
from tests.zoo import classes
from tests.zoo import reference as ref

LAYERS = (2, 1, 0)  # of the three blocks' networks: no more than there are blocks behind each


def auxiliary(h: ref.Array, state: ref.Arrays, block: int) -> ref.Array:
    own = {key.split(".", 3)[3]: value for key, value in state.items() if key.startswith(f"goodness.{block}.0.")}
    for i in range(LAYERS[block]):
        h = ref.relu(ref.layernorm(h @ own[f"filters.{i}"].T) + own[f"shifts.{i}"])
    return h @ own["readout"] + own["bias"]


def test_updates():
    algorithm = ref.build("auglocal")
    before, after, losses = ref.step_and_losses(algorithm, ref.batch())
    loss = lambda s, l: classes.block_loss(auxiliary, ref.cross_entropy, ref.layernorm, s, l)  # noqa: E731
    for l in range(ref.DEPTH):
        keys = [key for key in before if key.startswith((f"goodness.{l}.", f"backbone.blocks.{l}."))]
        assert len(keys) == 4 + 2 * LAYERS[l]
        ref.assert_updates(before, after, lambda s, l=l: loss(s, l), keys)
    ref.assert_losses(losses, lambda l: loss(before, l))


def test_prediction_is_the_last_block_s():
    algorithm, data = ref.build("auglocal"), ref.batch()
    state, u = ref.arrays(algorithm), ref.numpy(data.x)
    for l in range(ref.DEPTH):
        h = ref.relu(ref.linear(u, state, l))
        u = ref.layernorm(h)
    expected = auxiliary(h, state, ref.DEPTH - 1)
    np.testing.assert_allclose(ref.numpy(algorithm.predict(data.x)), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("block", "expected"),
    # A network of 16 blocks, as the authors' ResNet-32: 3 layers at first, 2 at the end, 1 where no more are behind.
    [(0, [5, 10, 15]), (3, [7, 11, 15]), (8, [12, 15]), (13, [14, 15]), (14, [15]), (15, [])],
)
def test_layers_are_sampled_evenly_and_fewer_further_on(block, expected):
    assert sampled(block, 16, 3, 0.5) == expected


def test_a_layer_of_maps_is_a_convolution_at_the_size_of_the_block_it_stands_for():
    algorithm = ref.build("auglocal", backbone="cnn", shape=(1, 8, 8), config=CNN(width=4, depth=2))
    part, h = algorithm.goodness[0][0], classes.features(algorithm, 0)  # maps of 8 x 8, and of 4 x 4 behind them
    (shape,) = part.shapes
    assert shape == (8, 4, 4)
    w, c = ref.numpy(part.filters[0]), ref.numpy(part.shifts[0])
    small = classes.windows(h, shape[1]).mean(-1)
    padded = np.pad(small, ((0, 0), (0, 0), (1, 1), (1, 1)))
    a = np.zeros((len(h), *shape))
    for i in range(shape[1]):
        for j in range(shape[2]):
            a[:, :, i, j] = np.einsum("bcij,ocij->bo", padded[:, :, i : i + 3, j : j + 3], w)
    a = ref.relu(ref.layernorm(a) + c[:, None, None]).mean((2, 3))
    expected = a @ ref.numpy(part.readout) + ref.numpy(part.bias)
    np.testing.assert_allclose(ref.numpy(part(torch.from_numpy(h))), expected, rtol=0, atol=1e-10)
