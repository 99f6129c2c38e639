"""Forward-Forward as Hinton wrote it (arXiv:2212.13345), in numpy."""

from __future__ import annotations

import numpy as np
import torch

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

    before, after = ref.step(algorithm, data)
    for l in range(ref.DEPTH):
        keys = [f"backbone.blocks.{l}.linear.weight", f"backbone.blocks.{l}.linear.bias"]
        ref.assert_updates(before, after, lambda s, l=l: loss(s, l), keys)
        metric = float(ref.build("vanilla_ff").train_step(ref.batch())[f"loss/{l + 1}"])
        np.testing.assert_allclose(metric, loss(before, l).real, atol=1e-10)
