"""DeeperForward (ICLR 2025) in numpy: the mean of a class's channels is its goodness."""

from __future__ import annotations

import numpy as np
import torch

from ffzoo.backbones.options import CNN
from tests.zoo import classes
from tests.zoo import reference as ref


def groups(h: ref.Array) -> ref.Array:
    """Features by class: ``(B, K, channels of a class, ...)``, where K divides the channels."""
    return h.reshape(len(h), ref.CLASSES, -1, *h.shape[2:])


def goodness(h: ref.Array, state: ref.Arrays, block: int) -> ref.Array:
    return groups(h).reshape(len(h), ref.CLASSES, -1).mean(2)


def groupnorm(h: ref.Array) -> ref.Array:
    """Each of the four groups of two units less its mean, over its deviation."""
    pairs = h.reshape(len(h), 4, 2)
    centred = pairs - pairs.mean(2, keepdims=True)
    return (centred / np.sqrt((centred**2).mean(2, keepdims=True) + 1e-5)).reshape(h.shape)


def test_updates():
    classes.check("deeperforward", goodness, between=groupnorm)


def test_goodness_of_maps():
    algorithm = ref.build("deeperforward", backbone="cnn", shape=(1, 8, 8), config=CNN(width=4, depth=4))
    for l in range(4):
        h = classes.features(algorithm, l)
        found = algorithm.goodness[l][0](torch.from_numpy(h))
        np.testing.assert_allclose(ref.numpy(found), goodness(h, {}, l), rtol=0, atol=1e-10)


def test_the_prediction_is_the_class_of_the_largest_summed_goodness():
    algorithm, data = ref.build("deeperforward"), ref.batch()
    predicted, blocks = algorithm.scores(data.x)
    summed = sum(ref.numpy(block) for block in blocks)
    assert np.array_equal(ref.numpy(predicted).argmax(1), summed.argmax(1))
