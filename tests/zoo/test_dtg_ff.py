"""DTG-FF (arXiv:2606.06539) in numpy: a frozen random matrix and a learned temperature."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ffzoo.algorithms.sheet import card_of
from ffzoo.backbones.options import CNN
from ffzoo.registry.loader import ZOO
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


def test_global_classifier_enters_each_block_by_one_hop():
    algorithm = ref.build("dtg_ff_global", backbone="cnn", shape=(1, 8, 8), config=CNN(width=4, depth=3))
    x, y = torch.rand(6, 1, 8, 8, dtype=torch.float64), torch.arange(6) % algorithm.num_classes
    expected, h, head = [], x, algorithm.fusion_head.linear
    weights = [*algorithm.backbone.parameters()]
    fused, losses = [], []
    for l in range(3):
        u = h if l == 0 else algorithm.norms[l](algorithm.backbone.downsample(l, h.detach()))
        h = algorithm.backbone.features(l, algorithm.backbone.block(l, u))
        g = h.mean((2, 3))
        fused.append((g - g.mean(1, keepdim=True)) / (g.var(1, unbiased=False, keepdim=True) + 1e-5).sqrt())
        losses.append(torch.nn.functional.cross_entropy(algorithm.goodness[l][0](h), y))
    whole = torch.nn.functional.cross_entropy(head(torch.cat(fused, 1)), y)
    for l in range(3):
        # What reaches a block: its own loss, and the global one through its own features alone.
        expected += torch.autograd.grad(losses[l] + whole, algorithm.backbone.block_parameters(l), retain_graph=True)
    before = [w.detach().clone() for w in weights]
    algorithm.train_step(x, y)
    lr = algorithm.fit_options.lr
    for w, old, gradient in zip(weights, before, expected, strict=True):
        torch.testing.assert_close((old - w) / lr, gradient, rtol=1e-9, atol=1e-11)


def test_both_readings_name_the_other():
    for name in ("dtg_ff", "dtg_ff_global"):
        text = " ".join(card_of(ZOO["algorithms"].get(name)).remarks)
        assert "dtg_ff_global" in text and "strictly local" in text
