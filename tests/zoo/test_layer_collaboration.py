"""Layer collaboration (arXiv:2305.12393) in numpy: a block's loss is one of the whole network's goodness."""

from __future__ import annotations

import numpy as np
import torch

from ffzoo.algorithms.build import algorithm_spec
from tests.zoo import reference as ref

SOFT = {"loss.scale": 1.0}  # torch's softplus is a straight line from 20 on
CONFIG = algorithm_spec("layer_collaboration", SOFT).recipe
TERM, HEIGHT = CONFIG.terms[0].loss, CONFIG.label_embedding.value


def goodness(x: ref.Array, y: ref.Array, state: ref.Arrays) -> list[ref.Array]:
    u = x.copy()
    u[:, : ref.CLASSES] = HEIGHT * ref.onehot(y)
    found = []
    for l in range(ref.DEPTH):
        h = ref.relu(ref.linear(u, state, l))
        u = ref.rms(h)
        found.append((h**2).mean(1))
    return found


def test_updates_and_prediction():
    algorithm, data = ref.build("layer_collaboration", SOFT), ref.batch()
    x, y = ref.numpy(data.x), ref.numpy(data.y)
    shift = torch.randint(1, ref.CLASSES, (ref.ROWS,), generator=torch.Generator().manual_seed(1)).numpy()
    wrong = (y + shift) % ref.CLASSES
    labels = np.stack([np.full(ref.ROWS, k) for k in range(ref.CLASSES)])
    expected = np.stack([sum(goodness(x, y, ref.arrays(algorithm))) for y in labels], 1)
    np.testing.assert_allclose(ref.numpy(algorithm.predict(data.x)), expected, rtol=0, atol=1e-10)

    before, after = ref.step(algorithm, data)
    gamma = {sign: goodness(x, labels, before) for sign, labels in ((1, y), (-1, wrong))}

    def loss(state: ref.Arrays, block: int) -> ref.Array:
        total = 0.0
        for sign, labels in ((1, y), (-1, wrong)):
            own = goodness(x, labels, state)[block]
            others = sum(g for l, g in enumerate(gamma[sign]) if l != block)  # of the weights before the step
            odds = TERM.scale * (own + others - ref.DEPTH * TERM.threshold)  # log of p / (1 - p)
            total = total + ref.softplus(-sign * odds).mean() / 2  # -log p of positive samples, -log(1 - p) of others
        return total

    for l in range(ref.DEPTH):
        keys = [f"backbone.blocks.{l}.linear.weight", f"backbone.blocks.{l}.linear.bias"]
        ref.assert_updates(before, after, lambda s, l=l: loss(s, l), keys)
        metric = float(ref.build("layer_collaboration", SOFT).train_step(ref.batch())[f"loss/{l + 1}"])
        np.testing.assert_allclose(metric, loss(before, l).real, rtol=0, atol=1e-10)
