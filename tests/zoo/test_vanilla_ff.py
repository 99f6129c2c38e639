"""Forward-Forward as Hinton wrote it (arXiv:2212.13345), in numpy."""

from __future__ import annotations

import numpy as np
import torch

from tests.zoo import pairs
from tests.zoo import reference as ref


def test_goodness_loss_and_update():
    algorithm, data = ref.build("vanilla_ff"), ref.batch()
    x, y = ref.numpy(data.x), ref.numpy(data.y)
    shift = torch.randint(1, ref.CLASSES, (ref.ROWS,), generator=torch.Generator().manual_seed(1)).numpy()
    positive, negative = x.copy(), x.copy()
    positive[:, : ref.CLASSES] = 5 * ref.onehot(y)
    negative[:, : ref.CLASSES] = 5 * ref.onehot((y + shift) % ref.CLASSES)

    def loss(state: ref.Arrays, block: int) -> ref.Array:
        total = 0.0
        for sign, u in ((1, positive), (-1, negative)):
            for l in range(block + 1):
                h = ref.relu(ref.linear(u, state, l))
                u = ref.rms(h)
            goodness = (h**2).mean(1)
            total = total + ref.softplus(-sign * 8 * (goodness - 2)).mean() / 2
        return total

    before, after, losses = ref.step_and_losses(algorithm, data)
    ref.assert_losses(losses, lambda l: loss(before, l))
    for l in range(ref.DEPTH):
        keys = [f"backbone.blocks.{l}.linear.weight", f"backbone.blocks.{l}.linear.bias"]
        ref.assert_updates(before, after, lambda s, l=l: loss(s, l), keys)


def logistic(state: ref.Arrays, x: ref.Array, labels: tuple[ref.Array, ref.Array], block: int) -> ref.Array:
    positive, negative = ((pairs.features(state, pairs.overlay(x, y), block) ** 2).mean(1) for y in labels)
    return pairs.logistic(positive, negative, 8, 2)


def test_hard_negatives_are_drawn_by_the_readout_before_the_step():
    algorithm, data = ref.build("vanilla_ff_hard"), ref.batch()
    x, y, state = ref.numpy(data.x), ref.numpy(data.y), ref.arrays(algorithm)
    neutral = pairs.overlay(x, None)
    odds = np.exp(pairs.readout(state, neutral)) * (1 - ref.onehot(y))
    waits = torch.empty(odds.shape, dtype=torch.float64).exponential_(generator=torch.Generator().manual_seed(1))
    wrong = np.argmin(waits.numpy() / odds.clip(1e-300), 1)  # the first of Poisson processes at these rates
    assert (wrong != y).all()
    head = lambda s: ref.cross_entropy(pairs.readout(s, neutral), y)  # noqa: E731
    pairs.assert_step(algorithm, data, lambda s, l: logistic(s, x, (y, wrong), l), lambda block: [], head)
    z = pairs.readout(ref.arrays(algorithm), neutral)
    np.testing.assert_allclose(ref.numpy(algorithm.predict(data.x)), z, rtol=0, atol=1e-10)


def test_hard_negatives_have_the_predictions_odds():
    negatives = ref.build("vanilla_ff_hard").negatives
    rows = 200_000
    z, y = torch.tensor([0.3, -1.0, 2.0, 0.9]).expand(rows, 4), torch.full((rows,), 2)
    _, wrong = negatives(torch.zeros(rows, 1), y, torch.Generator().manual_seed(0), z)
    odds = np.exp([0.3, -1.0, -np.inf, 0.9])
    np.testing.assert_allclose(np.bincount(wrong, minlength=4) / rows, odds / odds.sum(), atol=4e-3)
    assert np.bincount(wrong, minlength=4)[2] == 0


def test_peer_normalization():
    algorithm = ref.build("vanilla_ff_peer")
    for number in (1, 2):
        data = ref.batch(seed=number)
        x, y = ref.numpy(data.x), ref.numpy(data.y)
        labels = (y, pairs.wrong_labels(y, number))

        def activity(state: ref.Arrays, block: int, x=x, y=y) -> ref.Array:
            now = pairs.features(state, pairs.overlay(x, y), block).mean(0)
            return 0.9 * state[f"local_losses.{block}.1.mean"] + 0.1 * now

        def loss(state: ref.Arrays, block: int, x=x, labels=labels, activity=activity) -> ref.Array:
            m = activity(state, block)
            return logistic(state, x, labels, block) + 0.03 * ((m - m.mean()) ** 2).mean()

        before = ref.arrays(algorithm)
        assert number > 1 or (before["local_losses.0.1.mean"] == 0.5).all()
        after = pairs.assert_step(algorithm, data, loss, lambda block: [])
        for l in range(ref.DEPTH):
            np.testing.assert_allclose(after[f"local_losses.{l}.1.mean"], activity(before, l), rtol=0, atol=1e-12)


def test_unsupervised_goodness_loss_and_update():
    """A hybrid takes its pixels from two images, as a blurred random mask says; labels teach the readout alone."""
    algorithm = ref.build("vanilla_ff_unsup", shape=(1, 6, 6))
    data = ref.batch(shape=(1, 6, 6))
    x, y, blurs = ref.numpy(data.x), ref.numpy(data.y), 3
    algorithm.negatives.blurs = blurs
    drawn = torch.Generator().manual_seed(1)
    mask = torch.rand((ref.ROWS, 1, 6, 6), generator=drawn, dtype=torch.float64).numpy()
    for _ in range(blurs):
        for axis in (2, 3):
            edge = [(0, 0), (0, 0), (0, 0), (0, 0)]
            edge[axis] = (1, 1)
            padded = np.pad(mask, edge, mode="edge")
            before, here, behind = (np.take(padded, np.arange(6) + i, axis) for i in range(3))
            mask = before / 4 + here / 2 + behind / 4
    assert (mask.min((1, 2, 3)) < 0.5).all() and (mask.max((1, 2, 3)) > 0.5).all()
    shift = int(torch.randint(1, ref.ROWS, (), generator=drawn))
    hybrid = np.where(mask > 0.5, x, np.roll(x, shift, 0))

    def loss(state: ref.Arrays, block: int) -> ref.Array:
        positive, negative = ((pairs.features(state, view, block) ** 2).mean(1) for view in (x, hybrid))
        return pairs.logistic(positive, negative, 8, 2)

    head = lambda s: ref.cross_entropy(pairs.readout(s, x), y)  # noqa: E731
    pairs.assert_step(algorithm, data, loss, lambda block: [], head)
    z = pairs.readout(ref.arrays(algorithm), x)
    np.testing.assert_allclose(ref.numpy(algorithm.predict(data.x)), z, rtol=0, atol=1e-10)
