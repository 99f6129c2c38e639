"""The Trifecta (arXiv:2311.18130) in numpy."""

from __future__ import annotations

import numpy as np

from tests.zoo import pairs
from tests.zoo import reference as ref


def batchnorm(h: ref.Array) -> ref.Array:
    centred = h - h.mean(0)
    return centred / np.sqrt((centred**2).mean(0) + 1e-5)


def goodness(state: ref.Arrays, x: ref.Array, y: ref.Array, block: int) -> ref.Array:
    u = np.concatenate([x, state["label_embedding.patterns"][y]], 1)
    for l in range(block + 1):
        h = ref.relu(ref.linear(u, state, l))
        u = batchnorm(h)
    return (h**2).mean(1)


def test_pairs_of_blocks_learn_from_the_later_ones_loss():
    algorithm = ref.build("trifecta")
    # Step by step: block whose loss it is, and the blocks that it teaches.
    for number, taught in enumerate(({1: [0, 1]}, {0: [0], 2: [1, 2]}, {1: [0, 1]})):
        data = ref.batch(seed=number + 1)
        x, y = ref.numpy(data.x), ref.numpy(data.y)
        wrong = pairs.wrong_labels(y, number + 1)

        def loss(state: ref.Arrays, block: int, x=x, y=y, wrong=wrong) -> ref.Array:
            margin = goodness(state, x, y, block) - goodness(state, x, wrong, block)
            return np.log(1 + np.exp(-4 * margin)).mean()

        before, after, losses = ref.step_and_losses(algorithm, data)
        ref.assert_losses(losses, lambda l, before=before, loss=loss: loss(before, l))
        moved = []
        for of_block, blocks in taught.items():
            keys = [f"backbone.blocks.{l}.linear.{name}" for l in blocks for name in ("weight", "bias")]
            keys += ["label_embedding.patterns"] if 0 in blocks else []
            ref.assert_updates(before, after, lambda s, l=of_block: loss(s, l), keys)
            moved += keys
        trained = [key for key in before if "linear" in key or "patterns" in key]
        assert sorted(moved) == [key for key in sorted(trained) if (before[key] != after[key]).any()]


def test_the_prediction_is_the_last_blocks_with_running_statistics():
    algorithm, data = ref.build("trifecta"), ref.batch()
    algorithm.train_step(data)
    x = ref.numpy(data.x)

    def score(state: ref.Arrays, k: ref.Array) -> ref.Array:
        u = np.concatenate([x, state["label_embedding.patterns"][k]], 1)
        for l in range(ref.DEPTH):
            h = ref.relu(ref.linear(u, state, l))
            if l + 1 < ref.DEPTH:
                mean, var = (state[f"norms.{l + 1}.norm.running_{name}"] for name in ("mean", "var"))
                u = (h - mean) / np.sqrt(var + 1e-5)
        return (h**2).mean(1)

    pairs.assert_predicts(algorithm, x, score)
