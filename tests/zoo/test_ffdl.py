"""Forward-forward direct labeling (arXiv:2405.12443) in numpy."""

from __future__ import annotations

import numpy as np
import torch

from tests.zoo import pairs
from tests.zoo import reference as ref


def features(state: ref.Arrays, x: ref.Array, y: ref.Array, block: int) -> ref.Array:
    """Of a block, the label coming anew to each."""
    for l in range(block + 1):
        h = ref.relu(ref.linear(x + ref.onehot(y) @ state[f"label_embedding.projections.{l}"], state, l))
        x = ref.rms(h)
    return h


def test_goodness_loss_and_update():
    algorithm, data = ref.build("ffdl"), ref.batch()
    x, y = ref.numpy(data.x), ref.numpy(data.y)

    def loss(state: ref.Arrays, block: int) -> ref.Array:
        positive, negative = ((features(state, x, labels, block) ** 2).mean(1) for labels in (y, pairs.wrong_labels(y)))
        return pairs.logistic(positive, negative, 8, 2)

    pairs.assert_step(algorithm, data, loss, lambda block: [f"label_embedding.projections.{block}"])
    score = lambda s, k: sum((features(s, x, k, l) ** 2).mean(1) for l in range(ref.DEPTH))  # noqa: E731
    pairs.assert_predicts(algorithm, x, score)


def test_on_maps_a_label_is_the_same_at_every_position_behind_the_first_block():
    algorithm = ref.build("ffdl", shape=(2, 6, 6), backbone="cnn")
    embedding = algorithm.label_embedding
    assert [tuple(p.shape) for p in embedding.projections][:2] == [(ref.CLASSES, 2, 6, 6), (ref.CLASSES, 32)]
    u, y = torch.zeros(3, 32, 6, 6, dtype=torch.float64), torch.tensor([2, 0, 2])
    for labels, expected in ((y, embedding.projections[1][y]), (None, embedding.projections[1].mean(0).expand(3, -1))):
        made = embedding.inject(1, u, labels)
        assert made.shape == u.shape
        np.testing.assert_array_equal(ref.numpy(made[:, :, 4, 1]), ref.numpy(expected))
        assert (made == made[:, :, :1, :1]).all()
