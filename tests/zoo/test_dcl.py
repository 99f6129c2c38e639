"""Dictionary contrastive learning (ICLR 2024) in numpy: one table of label embeddings for all blocks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ffzoo.backbones.options import CNN
from tests.zoo import classes
from tests.zoo import reference as ref

TABLE = "shared.label_dictionary.embeddings"
T = 20.0


def averaged(table: ref.Array, d: int) -> ref.Array:
    """Every row the mean of as many rows of the table, which d divides: ``(D, K) -> (d, K)``."""
    return table.reshape(d, -1, table.shape[1]).mean(1)


def test_updates_with_a_table_that_stays():
    classes.check("dcl_s", lambda h, state, block: h @ state["goodness.0.0.projection"] / T)


def test_updates_with_a_table_that_all_blocks_teach():
    classes.check("dcl", lambda h, state, block: h @ state[TABLE] / T, shared=[TABLE])


@pytest.mark.parametrize("name", ["dcl_s", "dcl"])
def test_every_block_averages_the_one_table_to_its_width(name):
    algorithm = ref.build(name, backbone="cnn", shape=(1, 8, 8), config=CNN(width=4, depth=4))
    state = ref.arrays(algorithm)
    table = state[TABLE] if name == "dcl" else state["goodness.3.0.projection"]  # of the widest block
    for l, width in enumerate([4, 8, 16, 16]):
        h = classes.features(algorithm, l)
        found = algorithm.goodness[l][0](torch.from_numpy(h))
        own = averaged(table, width)
        if name == "dcl_s":  # frozen copies, which were averaged in float32
            np.testing.assert_allclose(state[f"goodness.{l}.0.projection"], own, rtol=0, atol=1e-6)
            own = state[f"goodness.{l}.0.projection"]
        np.testing.assert_allclose(ref.numpy(found), h.mean((2, 3)) @ own / T, rtol=0, atol=1e-10)


def test_the_table_belongs_to_no_block():
    algorithm = ref.build("dcl")
    assert algorithm.coupling == "shared parameters" and algorithm.isolation == "local"
    assert algorithm.owner(TABLE) is None
    assert not [key for key in algorithm.state_dict() if key.startswith("goodness.")]


def test_one_table_serves_all_blocks_of_dcl_s():
    state = ref.arrays(ref.build("dcl_s"))
    assert all(
        np.array_equal(state["goodness.0.0.projection"], state[f"goodness.{l}.0.projection"]) for l in range(ref.DEPTH)
    )
