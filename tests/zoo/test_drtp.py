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
    before, after = ref.step(ref.build("drtp", {"squash": squash}, label_smoothing=0.1), data)
    f = np.tanh if squash else lambda h: h
    seen = passes.blocks(before, x, between=lambda h: ref.layernorm(f(h)))
    target = 0.9 * ref.onehot(y) + 0.1 / ref.CLASSES
    gradients = passes.output_layer(passes.output(before, seen.f) - target, seen.f)
    for l in range(ref.DEPTH):
        slope = (seen.a[l] > 0) * (1 / np.cosh(seen.h[l]) ** 2 if squash else 1)
        delta = before[f"feedback.{l}"][y] * slope  # the row of the label, without smoothing
        gradients |= passes.layer(delta, seen.u[l], l)
    passes.assert_moved(before, after, gradients)
