"""ASGE (arXiv:2509.12394) in numpy: energies of patches through a random matrix and bias that stay as they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ffzoo.backbones.options import CNN
from tests.zoo import classes
from tests.zoo import reference as ref


def readout(g: ref.Array, state: ref.Arrays, block: int) -> ref.Array:
    return g @ state[f"goodness.{block}.0.projection"] + state[f"goodness.{block}.0.bias"]


def test_updates():
    classes.check("asge", lambda h, state, block: readout(h**2, state, block))


def test_patches_a_side_are_the_ratio_of_the_last_blocks_channels_to_this_ones():
    algorithm = ref.build("asge", backbone="cnn", shape=(1, 16, 16), config=CNN(width=4, depth=4))
    state = ref.arrays(algorithm)
    for l, (channels, side) in enumerate([(4, 4), (8, 2), (16, 1), (16, 1)]):
        h = classes.features(algorithm, l)
        assert h.shape[1] == channels
        g = (classes.windows(h, side) ** 2).sum(-1)  # channel by channel, row by row
        found = algorithm.goodness[l][0](torch.from_numpy(h))
        np.testing.assert_allclose(ref.numpy(found), readout(g.reshape(len(h), -1), state, l), rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["projection", "bias"])
def test_nothing_of_the_readout_is_learned(name):
    goodness = ref.build("asge").goodness[0][0]
    assert name in dict(goodness.named_buffers()) and not list(goodness.parameters())
