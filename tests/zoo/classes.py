"""One step of a rule that scores classes from the features of a block, against the rule in plain numpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ffzoo.algorithms.contract import Algorithm
from tests.zoo import reference as ref

Score = Callable[[ref.Array, ref.Arrays, int], ref.Array]
"""Features of a block, the whole state, the block's index -> class scores."""


def block_loss(
    score: Score,
    loss: Callable[[ref.Array, ref.Array], ref.Array],
    between: Callable[[ref.Array], ref.Array],
    state: ref.Arrays,
    block: int,
) -> ref.Array:
    """The loss of a block of the library's mlp, for the batch that every test takes."""
    data = ref.batch()
    u = ref.numpy(data.x)
    for l in range(block + 1):
        h = ref.relu(ref.linear(u, state, l))
        u = between(h)
    return loss(score(h, state, block), ref.numpy(data.y))


def check(
    name: str,
    score: Score,
    learned: Sequence[str] = (),
    between: Callable[[ref.Array], ref.Array] = ref.layernorm,
    loss: Callable[[ref.Array, ref.Array], ref.Array] = ref.cross_entropy,
    shared: Sequence[str] = (),
) -> None:
    """Losses and updates of all blocks are those of the reference, and nothing else moves.

    Args:
        name: of the algorithm.
        score: of a block's features.
        learned: names of the goodness's own parameters.
        between: the norm between blocks.
        loss: of scores and labels.
        shared: keys that the sum of all losses moves.
    """
    algorithm = ref.build(name)
    before, after = ref.step(algorithm, ref.batch())
    metrics = ref.build(name).train_step(ref.batch())
    moved = list(shared)
    for l in range(ref.DEPTH):
        keys = [f"backbone.blocks.{l}.linear.weight", f"backbone.blocks.{l}.linear.bias"]
        keys += [f"goodness.{l}.0.{key}" for key in learned]
        ref.assert_updates(before, after, lambda s, l=l: block_loss(score, loss, between, s, l), keys)
        expected = block_loss(score, loss, between, before, l)
        np.testing.assert_allclose(float(metrics[f"loss/{l + 1}"]), expected.real, rtol=0, atol=1e-10)
        moved += keys
    if shared:
        ref.assert_updates(
            before,
            after,
            lambda s: sum(block_loss(score, loss, between, s, l) for l in range(ref.DEPTH)),
            list(shared),
        )
    for key, value in after.items():
        if key not in moved and "running" not in key and "num_batches" not in key:
            np.testing.assert_array_equal(value, before[key], err_msg=key)


def features(algorithm: Algorithm, block: int, rows: int = 3) -> ref.Array:
    """Random features of a block, as they leave a ReLU."""
    return ref.relu(np.random.default_rng(block).standard_normal((rows, *algorithm.backbone.feature_shapes[block])))


def windows(h: ref.Array, side: int) -> ref.Array:
    """``(B, C, H, W) -> (B, C, side, side, positions)``, where side divides height and width."""
    b, c, height, width = h.shape
    cut = h.reshape(b, c, side, height // side, side, width // side).swapaxes(3, 4)
    return cut.reshape(b, c, side, side, -1)
