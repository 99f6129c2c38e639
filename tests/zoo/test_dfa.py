"""Direct feedback alignment (arXiv:1609.01596) in numpy."""

from __future__ import annotations

import numpy as np
import pytest

from tests.zoo import passes
from tests.zoo import reference as ref


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_every_update(smoothing):
    data = ref.batch()
    x, y = ref.numpy(data.x), ref.numpy(data.y)
    before, after = ref.step(ref.build("dfa", label_smoothing=smoothing), data)
    seen = passes.blocks(before, x)
    target = (1 - smoothing) * ref.onehot(y) + smoothing / ref.CLASSES
    error = passes.output(before, seen.f) - target
    gradients = passes.output_layer(error, seen.f)
    for l in range(ref.DEPTH):
        feedback = before[f"feedback.{l}"]  # (K, d)
        assert 0.8 * (6 / ref.WIDTH) ** 0.5 < np.abs(feedback).max() <= (6 / ref.WIDTH) ** 0.5
        delta = (error @ feedback) * (seen.a[l] > 0)
        gradients |= passes.layer(delta, seen.u[l], l)
    passes.assert_moved(before, after, gradients)


def test_metrics_and_prediction():
    algorithm, data = ref.build("dfa"), ref.batch()
    state, x, y = ref.arrays(algorithm), ref.numpy(data.x), ref.numpy(data.y)
    p = passes.output(state, passes.blocks(state, x).f)
    np.testing.assert_allclose(passes.softmax(ref.numpy(algorithm.predict(data.x))), p, rtol=0, atol=1e-12)
    metrics = algorithm.train_step(data)
    np.testing.assert_allclose(float(metrics["loss/3"]), -np.log(p[np.arange(ref.ROWS), y]).mean(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(float(metrics["accuracy/3"]), (p.argmax(1) == y).mean(), atol=1e-6)
