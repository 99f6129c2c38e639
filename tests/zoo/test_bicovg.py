"""BiCovG (arXiv:2605.04346) in numpy: second-order statistics, and learned weights of the blocks."""

from __future__ import annotations

import numpy as np
import torch

from ffzoo.algorithms.engine import make_part
from ffzoo.backbones.options import CNN
from ffzoo.parts.base import FusionBuild
from tests.zoo import classes
from tests.zoo import reference as ref


def score(h: ref.Array, state: ref.Arrays, block: int) -> ref.Array:
    own = {key: state[f"goodness.{block}.0.{key}"] for key in ("mixtures", "readout", "bias")}
    return np.concatenate([h**2, (h @ own["mixtures"].T) ** 2], 1) @ own["readout"] + own["bias"]


def test_updates():
    classes.check("bicovg", score, ["mixtures", "readout", "bias"])


def test_statistics_of_maps_are_covariances_of_channels_and_of_positions():
    algorithm = ref.build("bicovg", backbone="cnn", shape=(1, 8, 8), config=CNN(width=4, depth=2))
    part, h = algorithm.goodness[0][0], classes.features(algorithm, 0)
    p, b = ref.numpy(part.mixtures), len(h)
    fine = classes.windows(h, 4)  # (B, C, 4, 4, positions)
    count = fine.shape[-1]
    products = np.einsum("bcijn,bdijn->bcdij", fine, fine) / count  # of channels, the mean over a window
    expected = [np.einsum("bccij->bcij", products), np.einsum("mc,bcdij,md->bmij", p, products, p)]
    for side in (1, 2, 4):
        cut = classes.windows(h, side)
        n = cut.shape[-1]
        expected.append(np.einsum("bcijn,bcijm->bcij", cut, cut) / n**2)  # of any two positions in a window
    found = ref.numpy(part.statistics(torch.from_numpy(h)))
    np.testing.assert_allclose(found, np.concatenate([e.reshape(b, -1) for e in expected], 1), rtol=0, atol=1e-10)


def test_weights_are_convex_and_the_best_there_are():
    rng, rows, depth = np.random.default_rng(0), 200, 3
    y = rng.integers(0, ref.CLASSES, rows)
    blocks = [rng.standard_normal((rows, ref.CLASSES)) + 2.0 * l * ref.onehot(y) / depth for l in range(depth)]
    build = FusionBuild(((8,),) * depth, ref.CLASSES, "class", depth)
    fusion = make_part("fusions", "weights", build).double()
    np.testing.assert_allclose(ref.numpy(fusion.weight), np.full(depth, 1 / depth))
    fusion.calibrate([torch.from_numpy(z) for z in blocks], torch.from_numpy(y))
    w = ref.numpy(fusion.weight)
    assert w.min() >= 0
    np.testing.assert_allclose(w.sum(), 1)

    def loss(w: ref.Array) -> float:
        return ref.cross_entropy(sum(a * ref.log_softmax(z) for a, z in zip(w, blocks, strict=True)), y)

    fused = sum(a * ref.log_softmax(z) for a, z in zip(w, blocks, strict=True))
    np.testing.assert_allclose(ref.numpy(fusion([torch.from_numpy(z) for z in blocks])), fused, rtol=0, atol=1e-10)
    grid = [(i / 20, j / 20, 1 - (i + j) / 20) for i in range(21) for j in range(21 - i)]
    assert loss(w) <= min(loss(np.array(point)) for point in grid) + 1e-6
