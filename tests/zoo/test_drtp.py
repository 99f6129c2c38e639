"""Direct random target projection (arXiv:1909.01311) in numpy."""

from __future__ import annotations

import numpy as np
import pytest

from tests.zoo import passes
from tests.zoo import reference as ref


@pytest.mark.parametrize("squash", [True, False])
def test_every_update(squash):
    data = ref.batch()
    x, y = ref.numpy(data.x), ref.numpy(data.y)
    algorithm = ref.build("drtp", {"squash": squash}, label_smoothing=0.1)
    before, after, losses = ref.step_and_losses(algorithm, data)
    between = lambda h: ref.layernorm(np.tanh(h) if squash else h)  # noqa: E731
    seen = passes.blocks(before, x, between=between)
    target = 0.9 * ref.onehot(y) + 0.1 / ref.CLASSES
    p = passes.output(before, seen.f)
    gradients = passes.output_layer(p - target, seen.f)
    for l in range(ref.DEPTH):
        slope = (seen.a[l] > 0) * (1 / np.cosh(seen.h[l]) ** 2 if squash else 1)
        delta = before[f"feedback.{l}"][y] * slope  # the row of the label, without smoothing
        gradients |= passes.layer(delta, seen.u[l], l)
    passes.assert_moved(before, after, gradients)
    ref.assert_losses(losses, lambda l: passes.surprise(p, target), [ref.DEPTH - 1])
    z = passes.logits(after, passes.blocks(after, x, between=between).f)
    np.testing.assert_allclose(ref.numpy(algorithm.predict(data.x)), z, rtol=0, atol=1e-10)
