"""Positive and negative views in plain numpy, for rules that compare a label with a wrong one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from ffzoo.parts.options import ConcatLinear
from tests.zoo import reference as ref

HEAD_LR = ConcatLinear().lr

Loss = Callable[[ref.Arrays, int], ref.Array]
"""State and block -> that block's loss."""


def wrong_labels(y: ref.Array, seed: int = 1) -> ref.Array:
    """Each sample's wrong label, as evenly drawn in the step."""
    shift = torch.randint(1, ref.CLASSES, (len(y),), generator=torch.Generator().manual_seed(seed)).numpy()
    return (y + shift) % ref.CLASSES


def overlay(x: ref.Array, y: ref.Array | None, height: float = 5.0) -> ref.Array:
    """The label over the first inputs; None for the neutral one."""
    x = x.copy()
    x[:, : ref.CLASSES] = height / ref.CLASSES if y is None else height * ref.onehot(y)
    return x


def features(state: ref.Arrays, x: ref.Array, block: int) -> ref.Array:
    """What a block of the mlp makes of inputs that carry their labels, rms norms between blocks."""
    for l in range(block + 1):
        h = ref.relu(ref.linear(x, state, l))
        x = ref.rms(h)
    return h


def logistic(positive: ref.Array, negative: ref.Array, scale: float, threshold: float) -> ref.Array:
    """Minus the mean log likelihood of real and false, at p(real) = 1 / (1 + exp(-scale (G - threshold)))."""
    real, false = ref.softplus(-scale * (positive - threshold)), ref.softplus(scale * (negative - threshold))
    return (real.mean() + false.mean()) / 2


def readout(state: ref.Arrays, x: ref.Array) -> ref.Array:
    """Logits of ``fusion=concat_linear`` with ``first=1``: of the normalized features of all blocks but the first."""
    read = np.concatenate([ref.layernorm(features(state, x, l)) for l in range(1, ref.DEPTH)], 1)
    return read @ state["fusion_head.linear.weight"].T + state["fusion_head.linear.bias"]


def assert_step(
    algorithm: ref.Algorithm,
    data: ref.Batch,
    loss: Loss,
    own: Callable[[int], list[str]],
    head: Callable[[ref.Arrays], ref.Array] | None = None,
) -> ref.Arrays:
    """Every block takes a step down its own loss; the state after it.

    Args:
        algorithm: in float64.
        data: the batch.
        loss: of a block.
        own: what a block trains, beside the weights and biases of its one layer.
        head: the loss of the learned readout, which has a learning rate of its own.
    """
    before, after, losses = ref.step_and_losses(algorithm, data)
    if head is not None:
        ref.assert_updates(before, after, head, ["fusion_head.linear.weight", "fusion_head.linear.bias"], HEAD_LR)
        np.testing.assert_allclose(losses.pop("fusion"), head(before).real, rtol=0, atol=1e-10)
    for l in range(ref.DEPTH):
        keys = [f"backbone.blocks.{l}.linear.weight", f"backbone.blocks.{l}.linear.bias", *own(l)]
        ref.assert_updates(before, after, lambda s, l=l: loss(s, l), keys)
    ref.assert_losses(losses, lambda l: loss(before, l))
    return after


def assert_predicts(
    algorithm: ref.Algorithm, x: ref.Array, score: Callable[[ref.Arrays, ref.Array], ref.Array]
) -> None:
    """The prediction is the score of every label in turn."""
    state = ref.arrays(algorithm)
    expected = np.stack([score(state, np.full(len(x), k)) for k in range(ref.CLASSES)], 1)
    np.testing.assert_allclose(ref.numpy(algorithm.predict(torch.from_numpy(x))), expected.real, rtol=0, atol=1e-10)
