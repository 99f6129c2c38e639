"""CwComp (arXiv:2312.12668) in numpy: mean energies of channel groups, and its three losses."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.zoo import classes
from tests.zoo import reference as ref

THETA = 2.0


def batchnorm(h: ref.Array) -> ref.Array:
    """Mean 0 and variance 1 a unit over the batch."""
    centred = h - h.mean(0)
    return centred / np.sqrt((centred**2).mean(0) + 1e-5)


def goodness(h: ref.Array, state: ref.Arrays, block: int) -> ref.Array:
    return (batchnorm(h).reshape(len(h), ref.CLASSES, -1) ** 2).mean(2)


def cwc(g: ref.Array, y: ref.Array) -> ref.Array:
    return np.mean([-np.log(np.exp(g[i, k]) / np.exp(g[i]).sum()) for i, k in enumerate(y)])


def pvn(g: ref.Array, y: ref.Array) -> ref.Array:
    """The right class above theta, the mean of the wrong ones below it; both errors count as samples of one mean."""
    right = np.array([g[i, k] for i, k in enumerate(y)])
    wrong = np.array([np.delete(g[i], k).mean() for i, k in enumerate(y)])
    return np.concatenate([np.log(1 + np.exp(THETA - right)), np.log(1 + np.exp(wrong - THETA))]).mean()


def cwg(g: ref.Array, y: ref.Array) -> ref.Array:
    return 0.28 * cwc(g, y) + 0.72 * pvn(g, y)


@pytest.mark.parametrize(("name", "loss"), [("cwcomp", cwc), ("cwcomp_pvn", pvn), ("cwcomp_cwg", cwg)])
def test_updates(name, loss):
    classes.check(name, goodness, between=batchnorm, loss=loss)


def test_energies_beyond_fifty_are_clamped_and_teach_nothing():
    part = ref.build("cwcomp").goodness[0][0]
    h = torch.full((1, ref.WIDTH), 100.0, dtype=torch.float64).requires_grad_()
    z = part(h)
    z.sum().backward()
    assert bool((z == 50).all()) and bool((h.grad == 0).all())


def test_blocks_stop_one_after_the_other():
    schedule = ref.build("cwcomp").schedule
    np.testing.assert_allclose([schedule.window(l) for l in range(3)], [(0, 0.44), (0, 0.72), (0, 1)])
