"""Distance-Forward with overlapping blocks (arXiv:2408.14925) in numpy."""

from __future__ import annotations

import numpy as np
import torch

from ffzoo.algorithms.build import algorithm_spec
from ffzoo.backbones.options import CNN
from tests.zoo import classes
from tests.zoo import reference as ref

MARGIN = algorithm_spec("distance_forward").recipe.terms[0].loss.margin


def nearness(a: ref.Array, centroids: ref.Array) -> ref.Array:
    return np.stack([-((a - c) ** 2).sum(1) for c in centroids], 1)


def n_pair(g: ref.Array, y: ref.Array) -> ref.Array:
    total = 0.0
    for row, right in zip(g, y, strict=True):
        wrong = [k for k in range(len(row)) if k != right]
        total = total + np.log(1 + sum(np.exp(MARGIN + row[k] - row[right]) for k in wrong))
    return total / len(y)


def loss(state: ref.Arrays, block: int) -> ref.Array:
    """Of one block, as a function of everything in front of it."""
    score = lambda h, s, l: nearness(h, s[f"goodness.{l}.0.centroids"])  # noqa: E731
    return classes.block_loss(score, n_pair, ref.layernorm, state, block)


def keys(block: int) -> list[str]:
    return [f"backbone.blocks.{block}.linear.weight", f"backbone.blocks.{block}.linear.bias"]


def test_two_steps_of_overlapping_pairs():
    algorithm, data = ref.build("distance_forward"), ref.batch()
    before, after, losses = ref.step_and_losses(algorithm, data)
    ref.assert_losses(losses, lambda l: loss(before, l))
    # The gradient stops behind block 2: blocks 1 and 2 learn from the loss of the second, block 3 waits.
    ref.assert_updates(before, after, lambda s: loss(s, 1), [*keys(0), *keys(1), "goodness.1.0.centroids"])
    still = ["goodness.0.0.centroids", "goodness.2.0.centroids", *keys(2)]
    for key in still:
        np.testing.assert_array_equal(after[key], before[key], err_msg=key)

    before, after, losses = ref.step_and_losses(algorithm, data)
    ref.assert_losses(losses, lambda l: loss(before, l))
    # Now it stops behind blocks 1 and 3: block 2 learns from the loss of block 3, block 1 from its own.
    ref.assert_updates(before, after, lambda s: loss(s, 0), [*keys(0), "goodness.0.0.centroids"])
    # Blocks are updated in turn, so the pair reads what the first block was before the step.
    ref.assert_updates(before, after, lambda s: loss(s, 2), [*keys(1), *keys(2), "goodness.2.0.centroids"])
    np.testing.assert_array_equal(after["goodness.1.0.centroids"], before["goodness.1.0.centroids"])


def test_prediction_is_the_nearest_centroid():
    algorithm, data = ref.build("distance_forward"), ref.batch()
    state, u, total = ref.arrays(algorithm), ref.numpy(data.x), 0.0
    for l in range(ref.DEPTH):
        h = ref.relu(ref.linear(u, state, l))
        u, total = ref.layernorm(h), total + nearness(h, state[f"goodness.{l}.0.centroids"])
    np.testing.assert_allclose(ref.numpy(algorithm.predict(data.x)), total, rtol=0, atol=1e-10)


def test_maps_are_averaged_to_windows():
    algorithm = ref.build("distance_forward", backbone="cnn", shape=(1, 8, 8), config=CNN(width=4, depth=2))
    part, h = algorithm.goodness[0][0], classes.features(algorithm, 0)
    expected = nearness(classes.windows(h, 4).mean(-1).reshape(len(h), -1), ref.numpy(part.centroids))
    np.testing.assert_allclose(ref.numpy(part(torch.from_numpy(h))), expected, rtol=0, atol=1e-10)
