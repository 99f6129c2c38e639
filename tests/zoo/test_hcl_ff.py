"""HCL-FF (arXiv:2605.24797) in numpy: a class hierarchy by Ward's criterion, and supervised contrast pair by pair."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ffzoo.backbones.options import CNN
from ffzoo.data.batch import Batch
from ffzoo_zoo.hcl_ff_parts import tree_levels
from tests.zoo import reference as ref
from tests.zoo.classes import features, windows
from tests.zoo.test_contrastive_ff import contrast
from tests.zoo.test_deeperforward import goodness, groupnorm


class Training:
    """A training part of one batch."""

    steps = 1

    def __init__(self, data: Batch) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data.y)

    def __iter__(self):
        yield self.data


def levels(means: ref.Array) -> list[list[list[int]]]:
    """Groups of classes, coarsest first: of all pairs the one is merged that adds least to the squares within."""
    trees: list[tuple] = [(k,) for k in range(len(means))]

    def classes(tree: tuple) -> list[int]:
        return [k for part in tree for k in ([part] if isinstance(part, int) else classes(part))]

    def added(a: tuple, b: tuple) -> float:
        one, two = means[classes(a)], means[classes(b)]
        distance = ((one.mean(0) - two.mean(0)) ** 2).sum()
        return float(len(one) * len(two) / (len(one) + len(two)) * distance)

    while len(trees) > 1:
        pairs = [(i, j) for j in range(len(trees)) for i in range(j)]
        i, j = min(pairs, key=lambda pair: added(trees[pair[0]], trees[pair[1]]))
        merged = (trees[i], trees[j])
        trees = [t for n, t in enumerate(trees) if n not in (i, j)] + [merged]
    found, nodes = [], list(trees)
    while any(len(node) > 1 for node in nodes):
        nodes = [child for node in nodes for child in (node if len(node) > 1 else (node,))]
        found.append([sorted(classes(node)) for node in nodes])
    return found


LEVELS = {  # how many levels there are, mapping -> the level of each of three blocks
    (2, "linear"): (0, 0, 1),
    (3, "linear"): (0, 1, 2),
    (2, "increasing"): (0, 1, 1),
    (3, "increasing"): (0, 1, 2),
}


@pytest.mark.parametrize("mapping", ["linear", "increasing"])
def test_goodness_loss_and_update(mapping: str):
    algorithm, data = ref.build("hcl_ff", {"loss.levels": mapping}), ref.batch(rows=12)
    algorithm.start(Training(data), 1)
    x, y = ref.numpy(data.x), ref.numpy(data.y)
    tree = levels(np.stack([x[y == k].mean(0) for k in range(ref.CLASSES)]))
    assert len(tree) in (2, 3)
    assert [len(groups) for groups in (tree[0], tree[-1])] == [2, ref.CLASSES]

    def loss(state: ref.Arrays, block: int) -> ref.Array:
        u = x
        for l in range(block + 1):
            h = ref.relu(ref.linear(u, state, l))
            u = groupnorm(h)
        groups = tree[LEVELS[len(tree), mapping][block]]
        g = goodness(h, state, block)
        z = np.stack([g[:, group].mean(1) for group in groups], 1)
        coarse = np.array([next(n for n, group in enumerate(groups) if k in group) for k in y])
        return ref.cross_entropy(z, coarse) + contrast(u @ state[f"goodness.{block}.1.weight"], y, 0.2)

    before = ref.arrays(algorithm)
    metrics = algorithm.train_step(data)
    after = ref.arrays(algorithm)
    for l in range(ref.DEPTH):
        keys = [f"backbone.blocks.{l}.linear.weight", f"backbone.blocks.{l}.linear.bias", f"goodness.{l}.1.weight"]
        ref.assert_updates(before, after, lambda s, l=l: loss(s, l), keys)
        np.testing.assert_allclose(float(metrics[f"loss/{l + 1}"]), loss(before, l).real, rtol=0, atol=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_the_hierarchy(seed: int):
    means = np.random.default_rng(seed).standard_normal((7, 3))
    found = [
        sorted(sorted(np.flatnonzero(np.array(level) == g).tolist()) for g in set(level))
        for level in tree_levels(torch.from_numpy(means))
    ]
    assert found == [sorted(groups) for groups in levels(means)]


def test_levels_of_seventeen_blocks_are_the_authors():
    loss, found = ref.build("hcl_ff").local_losses[0][0], []
    for block in range(17):
        loss.block, loss.depth = block, 17
        loss.take([[level] * ref.CLASSES for level in range(4)])
        found.append(int(loss.groups[0]))
    assert found == [0] * 5 + [1] * 4 + [2] * 4 + [3] * 4


def test_maps_are_normalized_and_pooled_for_the_contrast():
    algorithm = ref.build("hcl_ff", backbone="cnn", shape=(1, 8, 8), config=CNN(width=8, depth=2))
    for l in range(2):
        part, h = algorithm.goodness[l][1], features(algorithm, l)
        channels, side = h.shape[1], h.shape[2]
        groups = part.norm.groups
        assert groups == {8: 8, 16: 8}[channels]
        flat = h.reshape(len(h), groups, -1)
        centred = flat - flat.mean(2, keepdims=True)
        u = (centred / np.sqrt((centred**2).mean(2, keepdims=True) + 1e-5)).reshape(h.shape)
        pooled = windows(u, 2).mean(-1).reshape(len(h), -1)
        expected = pooled @ ref.numpy(part.weight)
        np.testing.assert_allclose(ref.numpy(part(torch.from_numpy(h))), expected, rtol=0, atol=1e-10)
        assert side >= 2
