"""Feed-forward with delayed feedback (arXiv:2304.13372) in numpy."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from ffzoo.errors import OptionError
from tests.zoo import passes
from tests.zoo import reference as ref


def expected(before: ref.Arrays, x: ref.Array, y: ref.Array, kept: ref.Array) -> tuple[dict[str, ref.Array], ref.Array]:
    """The gradients, and the probabilities to be kept."""
    seen = passes.blocks(before, x)
    p = passes.output(before, seen.f)
    gradients = passes.output_layer(p - ref.onehot(y), seen.f)
    for l in range(ref.DEPTH):
        delta = ((kept - ref.onehot(y)) @ before[f"feedback.{l}"]) * (seen.a[l] > 0)
        gradients |= passes.layer(delta, seen.u[l], l)
    return gradients, p


def test_two_epochs():
    algorithm = ref.build("f3")
    kept = np.zeros((10, ref.CLASSES))
    for epoch in (0, 1):
        for index in ([5, 0, 3, 9, 1, 2], [4, 8, 6, 7, 0, 5]):  # 0 and 5 come twice
            data = dataclasses.replace(ref.batch(seed=epoch), index=torch.tensor(index))
            before, after, losses = ref.step_and_losses(algorithm, data)
            x, y = ref.numpy(data.x), ref.numpy(data.y)
            gradients, p = expected(before, x, y, kept[index])
            passes.assert_moved(before, after, gradients)
            ref.assert_losses(losses, lambda l, p=p, y=y: passes.surprise(p, ref.onehot(y)), [ref.DEPTH - 1])
            kept[index] = p
    np.testing.assert_allclose(ref.numpy(algorithm.training_state()[0]["memory"]), kept, rtol=0, atol=1e-10)
    z = passes.logits(after, passes.blocks(after, x).f)
    np.testing.assert_allclose(ref.numpy(algorithm.predict(data.x)), z, rtol=0, atol=1e-10)


def test_the_memory_survives_a_checkpoint():
    algorithm, data = ref.build("f3"), ref.batch()
    algorithm.train_step(data)
    assert "memory" not in algorithm.state_dict()  # a trained network predicts without it
    tensors, values = algorithm.training_state()
    resumed = ref.build("f3", seed=1)
    resumed.load_state_dict(algorithm.state_dict())
    resumed.load_training_state(tensors, values)
    after = [ref.step(one, data)[1] for one in (algorithm, resumed)]
    for key, value in after[0].items():
        np.testing.assert_array_equal(value, after[1][key], err_msg=key)


def test_samples_must_be_known():
    with pytest.raises(OptionError, match="f3 keeps an error per sample"):
        ref.build("f3").train_step(torch.randn(2, ref.INPUTS, dtype=torch.float64), torch.tensor([0, 1]))
