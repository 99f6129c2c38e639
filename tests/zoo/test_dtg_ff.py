"""DTG-FF (arXiv:2606.06539) in numpy: a frozen random matrix and a learned temperature."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ffzoo.backbones.options import CNN
from tests.zoo import classes
from tests.zoo import reference as ref

RULES = [("dtg_ff", 2, 4), ("dtg_ff_gap", 1, 1)]


def readout(a: ref.Array, state: ref.Arrays, block: int) -> ref.Array:
    t = 0.1 + 1.9 / (1 + np.exp(-state[f"goodness.{block}.0.alpha"]))
    return a @ state[f"goodness.{block}.0.projection"] / t


@pytest.mark.parametrize(("name", "power", "side"), RULES)
def test_updates(name, power, side):
    classes.check(name, lambda h, state, block: readout(h**power, state, block), ["alpha"])


@pytest.mark.parametrize(("name", "power", "side"), RULES)
def test_goodness_of_maps(name, power, side):
    algorithm = ref.build(name, backbone="cnn", shape=(1, 8, 8), config=CNN(width=4, depth=4))
    state = ref.arrays(algorithm)
    for l in range(4):
        h = classes.features(algorithm, l)
        a = (classes.windows(h, min(side, h.shape[2])) ** power).mean(-1).reshape(len(h), -1)
        found = algorithm.goodness[l][0](torch.from_numpy(h))
        np.testing.assert_allclose(ref.numpy(found), readout(a, state, l), rtol=0, atol=1e-10)
