"""LLS (arXiv:2405.15868) in numpy: pooled features of length 1 against a wave of one frequency a class."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ffzoo.algorithms.build import algorithm_spec, create
from ffzoo.backbones.options import CNN
from tests.zoo import classes
from tests.zoo import reference as ref


def waves(d: int, sine: bool = False) -> ref.Array:
    """``(d, K)``, number by number: sin(f_k j) or its sign, with f_k in equal steps from 50 to 512."""
    w = np.empty((d, ref.CLASSES))
    for k in range(ref.CLASSES):
        f = 50 + (512 - 50) * k / (ref.CLASSES - 1)
        for j in range(d):
            value = math.sin(f * j)
            w[j, k] = value if sine else (value > 0) - (value < 0)
    return w


def unit(a: ref.Array) -> ref.Array:
    return a / np.sqrt((a**2).sum(1, keepdims=True))


def temperature(name: str) -> float:
    return algorithm_spec(name).recipe.terms[0].goodness.temperature


def lls(h: ref.Array, state: ref.Arrays, block: int) -> ref.Array:
    return unit(h) @ waves(h.shape[1]) / temperature("lls")


def lls_m(h: ref.Array, state: ref.Arrays, block: int) -> ref.Array:
    return (unit(h) @ waves(h.shape[1])) * state[f"goodness.{block}.0.mix"] / temperature("lls_m")


def lls_mxm(h: ref.Array, state: ref.Arrays, block: int) -> ref.Array:
    return (unit(h) @ waves(h.shape[1])) @ state[f"goodness.{block}.0.mix"] / temperature("lls_mxm")


def lls_random(h: ref.Array, state: ref.Arrays, block: int) -> ref.Array:
    return h @ state[f"goodness.{block}.0.projection"] / temperature("lls_random")


@pytest.mark.parametrize(("rule", "learned"), [(lls, []), (lls_m, ["mix"]), (lls_mxm, ["mix"]), (lls_random, [])])
def test_updates(rule, learned):
    # The library keeps frozen matrices in float32; these hold whole numbers, and the random one is in the state.
    classes.check(rule.__name__, rule, learned)


@pytest.mark.parametrize("form", ["square", "sine"])
def test_waves_run_along_the_pooled_features(form):
    settings = {"goodness.wave": form}
    algorithm = ref.build("lls", settings, backbone="cnn", shape=(1, 8, 8), config=CNN(width=4, depth=4))
    for l in range(4):
        h = classes.features(algorithm, l)
        side = min(4, h.shape[2])
        a = classes.windows(h, side).mean(-1).reshape(len(h), -1)
        part = algorithm.goodness[l][0]
        w = ref.numpy(part.projection)
        exact = waves(a.shape[1], sine=form == "sine")
        np.testing.assert_allclose(w, exact, rtol=0, atol=0 if form == "square" else 1e-7)  # kept in float32
        expected = unit(a) @ w / temperature("lls")
        np.testing.assert_allclose(ref.numpy(part(torch.from_numpy(h))), expected, rtol=0, atol=1e-10)


def test_the_learned_factors_start_as_in_the_authors_code():
    algorithm = create("lls_mxm", "mlp", (ref.INPUTS,), 30)
    mixes = torch.cat([goodness[0].mix.detach().flatten() for goodness in algorithm.goodness])
    assert abs(float(mixes.std()) - 0.01) < 5e-4 and abs(float(mixes.mean())) < 1e-3
