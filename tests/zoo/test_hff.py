"""HFF (arXiv:2605.00082) in numpy: cosines to learned prototypes, several a class."""

from __future__ import annotations

import numpy as np

from ffzoo.algorithms.build import algorithm_spec
from tests.zoo import classes
from tests.zoo import reference as ref

CONFIG = algorithm_spec("hff").recipe.terms[0].goodness


def cosine(a: ref.Array, p: ref.Array) -> ref.Array:
    """``(B, d), (d, n) -> (B, n)``."""
    return (a @ p) / np.sqrt((a**2).sum(1, keepdims=True)) / np.sqrt((p**2).sum(0, keepdims=True))


def score(h: ref.Array, state: ref.Arrays, block: int) -> ref.Array:
    s = cosine(h, state[f"goodness.{block}.0.projection"]) / CONFIG.temperature
    return np.log(np.exp(s.reshape(len(h), ref.CLASSES, CONFIG.prototypes)).sum(2))


def test_updates():
    classes.check("hff", score, ["projection"], between=ref.rms)


def test_the_length_of_a_prototype_means_nothing():
    algorithm, data = ref.build("hff"), ref.batch()
    before = algorithm.predict(data.x)
    for goodness in algorithm.goodness:
        goodness[0].projection.data *= 3.0
    np.testing.assert_allclose(ref.numpy(algorithm.predict(data.x)), ref.numpy(before), rtol=0, atol=1e-10)
