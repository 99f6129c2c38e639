"""Mono-Forward (arXiv:2501.09238) in numpy: G = a M^T with a learned M of every block, and no norm between blocks."""

from __future__ import annotations

import numpy as np
import torch

from ffzoo.backbones.options import CNN
from tests.zoo import classes
from tests.zoo import reference as ref


def goodness(h: ref.Array, state: ref.Arrays, block: int) -> ref.Array:
    return h.reshape(len(h), -1) @ state[f"goodness.{block}.0.projection"]


def test_updates():
    classes.check("mono_forward", goodness, ["projection"], between=lambda h: h)


def test_every_position_of_a_map_has_weights_of_its_own():
    algorithm = ref.build("mono_forward", backbone="cnn", shape=(1, 8, 8), config=CNN(width=4, depth=4))
    state = ref.arrays(algorithm)
    for l in range(4):
        h = classes.features(algorithm, l)
        found = algorithm.goodness[l][0](torch.from_numpy(h))
        np.testing.assert_allclose(ref.numpy(found), goodness(h, state, l), rtol=0, atol=1e-10)


def test_the_prediction_adds_up_the_scores_themselves():
    algorithm, x = ref.build("mono_forward"), ref.batch().x
    fused, blocks = algorithm.scores(x)
    torch.testing.assert_close(fused, sum(blocks))
