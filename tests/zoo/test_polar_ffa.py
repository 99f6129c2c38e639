"""Polar-FFA (arXiv:2408.09210) in numpy."""

from __future__ import annotations

import numpy as np
import pytest

from ffzoo.backbones.options import MLP
from ffzoo.errors import RecipeError
from tests.zoo import pairs
from tests.zoo import reference as ref


def groups(state: ref.Arrays, x: ref.Array, block: int) -> tuple[ref.Array, ref.Array]:
    energies = pairs.features(state, x, block) ** 2
    half = ref.WIDTH // 2
    return energies[:, :half].mean(1), energies[:, half:].mean(1)


def test_difference_of_the_groups():
    # The scale is smaller than the rule's: beyond 20 torch's softplus is a line, to 2e-9.
    algorithm, data = ref.build("polar_ffa", {"loss.scale": 2.0}), ref.batch()
    x, y = ref.numpy(data.x), ref.numpy(data.y)

    def goodness(state: ref.Arrays, labels: ref.Array, block: int) -> ref.Array:
        plus, minus = groups(state, pairs.overlay(x, labels), block)
        return plus - minus

    def loss(state: ref.Arrays, block: int) -> ref.Array:
        return pairs.logistic(goodness(state, y, block), goodness(state, pairs.wrong_labels(y), block), 2, 0)

    pairs.assert_step(algorithm, data, loss, lambda block: [])
    pairs.assert_predicts(algorithm, x, lambda s, k: sum(goodness(s, k, l) for l in range(ref.DEPTH)))


def test_share_of_the_positive_group():
    algorithm, data = ref.build("polar_ffa", {"goodness.by": "ratio", "loss.scale": 1.0}), ref.batch()
    x, y = ref.numpy(data.x), ref.numpy(data.y)

    def probability(state: ref.Arrays, labels: ref.Array, block: int) -> ref.Array:
        plus, minus = groups(state, pairs.overlay(x, labels), block)
        return (plus + 1e-6) / (plus + minus + 2e-6)

    def loss(state: ref.Arrays, block: int) -> ref.Array:
        real, false = probability(state, y, block), 1 - probability(state, pairs.wrong_labels(y), block)
        return -(np.log(real).mean() + np.log(false).mean()) / 2

    pairs.assert_step(algorithm, data, loss, lambda block: [])


def test_one_unit_cannot_be_split():
    with pytest.raises(RecipeError, match="there is one unit"):
        ref.build("polar_ffa", config=MLP(width=1, depth=2))
