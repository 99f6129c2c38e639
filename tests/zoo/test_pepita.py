"""PEPITA (arXiv:2201.11665) in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ffzoo.algorithms.build import algorithm_spec, create
from ffzoo.algorithms.options import Execution
from ffzoo.errors import OptionError
from ffzoo.testing.strategies import Case
from tests.zoo import passes
from tests.zoo import reference as ref


def test_every_update():
    data = ref.batch()
    x, y = ref.numpy(data.x), ref.numpy(data.y)
    algorithm = ref.build("pepita", {"scale": 0.5})
    before, after, losses = ref.step_and_losses(algorithm, data)
    matrix = before["modulation"]  # (K, inputs)
    assert 0.3 < np.abs(matrix).max() <= 0.5 * (6 / ref.INPUTS) ** 0.5
    first = passes.blocks(before, x)
    error = passes.output(before, first.f) - ref.onehot(y)
    second = passes.blocks(before, x + error @ matrix)
    p = passes.output(before, second.f)
    gradients = passes.output_layer(p - ref.onehot(y), second.f)
    for l in range(ref.DEPTH):
        delta = (first.h[l] - second.h[l]) * (second.a[l] > 0)
        gradients |= passes.layer(delta, second.u[l], l)
    passes.assert_moved(before, after, gradients)
    ref.assert_losses(losses, lambda l: passes.surprise(p, ref.onehot(y)), [ref.DEPTH - 1])
    z = passes.logits(after, passes.blocks(after, x).f)  # of the inputs as they are
    np.testing.assert_allclose(ref.numpy(algorithm.predict(data.x)), z, rtol=0, atol=1e-10)


def test_running_statistics_are_those_of_the_inputs_as_they_are():
    case = Case("partition", 3, 10, (1, 6, 6), 4, 8, 0)
    algorithm = create(algorithm_spec("pepita", {"scale": 50.0}), case.build_backbone(case.shape), case.shape, 4)
    data = case.batch()
    with torch.no_grad():
        conv = algorithm.backbone.get_submodule("model.body.conv0")(data.x)
    algorithm.train_step(data)
    mean = algorithm.state_dict()["backbone.model.body.norm0.running_mean"]
    torch.testing.assert_close(mean, 0.1 * conv.mean((0, 2, 3)))


def test_half_precision_is_refused():
    """Learned in bf16, an MLP of 3 x 1000 on MNIST stays at chance: the two passes differ by less than is kept."""
    with pytest.raises(OptionError, match="precision=bf16 rounds away; expected precision=fp32"):
        ref.build("pepita").run_as(Execution(precision="bf16"))
