"""Momentum auxiliary networks (arXiv:2407.05623) in numpy: a moving average of the next block's weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from ffzoo.algorithms.build import algorithm_spec, create
from ffzoo.backbones.native import SequentialBackbone
from ffzoo.backbones.options import CNN
from ffzoo.errors import RecipeError
from ffzoo.parts.base import Context
from tests.zoo import classes
from tests.zoo import reference as ref

MOMENTUM = 0.995


def score(h: ref.Array, state: ref.Arrays, block: int) -> ref.Array:
    prefix = f"goodness.{block}.0."
    if block < ref.DEPTH - 1:
        u, layers = ref.layernorm(h), (f"{prefix}average.", f"{prefix}bias_layer.")
        h = sum(ref.relu(u @ state[layer + "weight"].T + state[layer + "bias"]) for layer in layers)
    return h @ state[prefix + "readout"] + state[prefix + "bias"]


def test_three_steps():
    algorithm = ref.build("man")
    loss = lambda s, l: classes.block_loss(score, ref.cross_entropy, ref.layernorm, s, l)  # noqa: E731
    for _ in range(3):
        before, after, losses = ref.step_and_losses(algorithm, ref.batch())
        ref.assert_losses(losses, lambda l, before=before: loss(before, l))
        for l in range(ref.DEPTH):
            keys = [f"goodness.{l}.0.{name}" for name in ("readout", "bias")]
            keys += [f"backbone.blocks.{l}.linear.{name}" for name in ("weight", "bias")]
            if l < ref.DEPTH - 1:
                keys += [f"goodness.{l}.0.bias_layer.{name}" for name in ("weight", "bias")]
            ref.assert_updates(before, after, lambda s, l=l: loss(s, l), keys)
        for l in range(ref.DEPTH - 1):
            for name in ("weight", "bias"):
                key, theta = f"goodness.{l}.0.average.{name}", before[f"backbone.blocks.{l + 1}.linear.{name}"]
                expected = MOMENTUM * before[key] + (1 - MOMENTUM) * theta
                np.testing.assert_allclose(after[key], expected, rtol=0, atol=1e-12, err_msg=key)


def test_the_average_starts_from_the_next_block_and_is_nobody_s_parameter():
    algorithm = create(algorithm_spec("man"), "mlp", (9,), 4)
    average = algorithm.goodness[0][0].average
    assert not list(average.parameters())
    assert torch.equal(average.weight, algorithm.backbone.blocks[1].linear.weight)


def test_maps_are_seen_as_the_next_block_sees_them():
    # The second block of this cnn follows a max-pool.
    algorithm = ref.build("man", backbone="cnn", shape=(1, 8, 8), config=CNN(width=4, depth=2))
    part, h = algorithm.goodness[0][0], classes.features(algorithm, 0)
    pooled = ref.layernorm(classes.windows(h, 4).max(-1))
    padded = np.pad(pooled, ((0, 0), (0, 0), (1, 1), (1, 1)))
    a = 0.0
    for layer in (part.average, part.bias_layer):
        w, out = ref.numpy(layer.weight), np.zeros((len(h), len(layer.weight), 4, 4))
        for i in range(4):
            for j in range(4):
                out[:, :, i, j] = np.einsum("bcij,ocij->bo", padded[:, :, i : i + 3, j : j + 3], w)
        a = a + ref.relu(out + ref.numpy(layer.bias)[:, None, None])
    expected = a.reshape(len(h), -1) @ ref.numpy(part.readout) + ref.numpy(part.bias)
    found = part(torch.from_numpy(h), Context(None, (1,), 0, 2, 0, training=False, generator=None))
    np.testing.assert_allclose(ref.numpy(found), expected, rtol=0, atol=1e-10)


def test_a_block_without_a_layer_to_follow_is_refused():
    blocks = [nn.Linear(9, 8), nn.LayerNorm(8)]
    with pytest.raises(
        RecipeError, match="block 2 of mine has no convolution or linear layer that reads the 8 channels"
    ):
        create(algorithm_spec("man"), SequentialBackbone("mine", (9,), blocks, [(8,), (8,)]), (9,), 4)
