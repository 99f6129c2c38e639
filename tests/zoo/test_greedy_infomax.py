"""Greedy InfoMax (arXiv:1905.11786) in numpy, context by context."""

from __future__ import annotations

import numpy as np
import pytest

from ffzoo.backbones.options import CNN
from ffzoo.errors import RecipeError
from tests.zoo import reference as ref

SIDE, DEPTH, ROWS = 5, 2, 3
SETTINGS = {"goodness.steps": 2}


def built():
    return ref.build(
        "greedy_infomax", SETTINGS, shape=(1, SIDE, SIDE), backbone="cnn", config=CNN(width=3, depth=DEPTH)
    )


def convolve(x: ref.Array, w: ref.Array, b: ref.Array) -> ref.Array:
    """3x3 convolution with zeros around the map, position by position."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    out = np.zeros((len(x), len(w), *x.shape[2:]), complex)
    for r in range(x.shape[2]):
        for c in range(x.shape[3]):
            out[:, :, r, c] = np.einsum("bchw,dchw->bd", padded[:, :, r : r + 3, c : c + 3], w) + b
    return out


def info_nce(a: ref.Array, matrices: ref.Array, skip: int) -> ref.Array:
    """Mean over steps, places and samples of minus the log-probability of the sample's own patch below."""
    rows, _, height, width = a.shape
    total = 0.0
    for k, w in enumerate(matrices, 1):
        places = [(r, c) for r in range(height - k - skip) for c in range(width)]
        for r, c in places:
            for i in range(rows):
                log_f = [a[j, :, r + k + skip, c] @ w @ a[i, :, r, c] for j in range(rows)]
                total = total - (log_f[i] - np.log(sum(map(np.exp, log_f)))) / (len(places) * rows * len(matrices))
    return total


def test_goodness_loss_and_update():
    algorithm, data = built(), ref.batch((1, SIDE, SIDE), rows=ROWS)
    x = ref.numpy(data.x)
    shapes = algorithm.backbone.feature_shapes
    assert shapes == ((3, 5, 5), (6, 2, 2))

    def loss(state: ref.Arrays, block: int) -> ref.Array:
        u = x
        for l in range(block + 1):
            prefix = f"backbone.blocks.{l}.conv."
            h = ref.relu(convolve(u, state[prefix + "weight"], state[prefix + "bias"]))
            peaks = np.stack([h[:, :, r : r + 4 : 2, c : c + 4 : 2] for r in (0, 1) for c in (0, 1)])
            u = ref.layernorm(np.take_along_axis(peaks, peaks.real.argmax(0)[None], 0)[0])
        # The second map has two rows: no room to skip one, and none for a second step.
        return info_nce(h, state[f"goodness.{block}.0.weight"], skip=(1, 0)[block])

    before, after = ref.step(algorithm, data)
    metrics = built().train_step(ref.batch((1, SIDE, SIDE), rows=ROWS))
    for l in range(DEPTH):
        assert len(before[f"goodness.{l}.0.weight"]) == (2, 1)[l]
        keys = [f"backbone.blocks.{l}.conv.weight", f"backbone.blocks.{l}.conv.bias", f"goodness.{l}.0.weight"]
        ref.assert_updates(before, after, lambda s, l=l: loss(s, l), keys)
        np.testing.assert_allclose(float(metrics[f"loss/{l + 1}"]), loss(before, l).real, rtol=0, atol=1e-10)


def test_flat_features_are_refused():
    with pytest.raises(RecipeError, match=r"features of shape \(8,\); expected \(C, H, W\)"):
        ref.build("greedy_infomax")
