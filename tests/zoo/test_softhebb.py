"""SoftHebb (arXiv:2209.11883) in numpy."""

from __future__ import annotations

import numpy as np
import pytest

from ffzoo.backbones.options import CNN
from ffzoo.errors import NotFittedError
from ffzoo.testing.strategies import Toy
from tests.zoo import passes
from tests.zoo import reference as ref


def change(w: ref.Array, b: ref.Array, x: ref.Array, beta: float) -> ref.Array:
    """The change of the weights (units, inputs) by inputs (samples, inputs), one sample after the other."""
    d = np.zeros_like(w)
    for row in x:
        u = w @ row + b
        y = -np.exp(beta * (u - u.max()))
        y /= -y.sum()
        y[u.argmax()] *= -1
        d += np.outer(y, row) - (y * u)[:, None] * w
    rate = ref.LR * np.sqrt(np.abs(np.linalg.norm(w, axis=1) - 1))
    return rate[:, None] * d / np.abs(d).max()


def test_every_update_of_an_mlp():
    data = ref.batch()
    before, after = ref.step(ref.build("softhebb", {"inverse_temperature": 2.0}), data)
    seen = passes.blocks(before, ref.numpy(data.x))
    gradients = {}
    for l in range(ref.DEPTH):
        key = f"backbone.blocks.{l}.linear."
        gradients[key + "weight"] = -change(before[key + "weight"], before[key + "bias"], seen.u[l], 2.0) / ref.LR
    passes.assert_moved(before, after, gradients)


def test_every_update_of_convolutions():
    side, data = 3, ref.batch((2, 3, 3))
    config = CNN(width=4, depth=2)
    before, after = ref.step(ref.build("softhebb", shape=(2, 3, 3), backbone="cnn", config=config), data)
    u, gradients = ref.numpy(data.x), {}
    for l in range(2):
        w, b = (before[f"backbone.blocks.{l}.conv.{name}"] for name in ("weight", "bias"))
        padded = np.pad(u, ((0, 0), (0, 0), (1, 1), (1, 1)))
        patches = np.array(
            [image[:, i : i + 3, j : j + 3].ravel() for image in padded for i in range(side) for j in range(side)]
        )
        flat = w.reshape(len(w), -1)
        gradients[f"backbone.blocks.{l}.conv.weight"] = -change(flat, b, patches, 4.0).reshape(w.shape) / ref.LR
        out = (patches @ flat.T + b).reshape(len(u), side, side, -1).transpose(0, 3, 1, 2)
        u = ref.layernorm(ref.relu(out))
    passes.assert_moved(before, after, gradients)


def test_weights_start_at_the_radius_and_go_to_one():
    algorithm, data = ref.build("softhebb", {"radius": 3.0}), ref.batch()
    weight = algorithm.backbone.blocks[1].linear.weight
    start = weight.norm(dim=1)
    assert ((2 < start) & (start < 4)).all()  # the reference adds a little noise
    for _ in range(500):
        algorithm.train_step(data)
    assert (weight.norm(dim=1) - 1).abs().min() < 0.05


def test_the_probe_is_fitted_at_the_end():
    toy = Toy((ref.INPUTS,), ref.CLASSES)
    algorithm = ref.build("softhebb").float()
    (first, *_) = toy
    with pytest.raises(NotFittedError, match=r"algorithm\.finish"):
        algorithm.predict(first.x)
    algorithm.finish(toy, None)
    assert (algorithm.predict(first.x).argmax(1) == first.y).float().mean() > 0.9
