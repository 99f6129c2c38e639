"""Compiled blocks learn what uncompiled ones do."""

from __future__ import annotations

import copy
import shutil

import pytest
import torch
from torch._dynamo.utils import counters

from ffzoo import Batch, Execution, create
from ffzoo.algorithms.options import FitOptions
from ffzoo.backbones.options import CNN
from ffzoo.measure.copying import copy_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="no C++ compiler"),
]


@pytest.mark.parametrize("name", ["dtg_ff", "bp", "bp_deepsup"])
def test_compiled_steps_are_the_same(name):
    fit = FitOptions(optimizer="sgd", lr=0.1)
    plain = create(name, "cnn", (3, 8, 8), 3, fit=fit, backbone_config=CNN(width=8, depth=2))
    compiled = copy.deepcopy(plain)
    before = counters["stats"]["unique_graphs"]
    torch._dynamo.reset()
    plain.run_as(Execution())
    compiled.run_as(Execution(compile=True))
    for seed in range(2):
        generator = torch.Generator().manual_seed(seed)
        x, y = torch.randn(4, 3, 8, 8, generator=generator), torch.randint(3, (4,), generator=generator)
        metrics = [a.train_step(Batch(x, y)) for a in (plain, compiled)]
    assert counters["stats"]["unique_graphs"] > before, "nothing was compiled"
    for key, value in plain.state_dict().items():
        torch.testing.assert_close(compiled.state_dict()[key], value, rtol=1e-4, atol=1e-5, msg=key)
    for key, value in metrics[0].items():
        torch.testing.assert_close(metrics[1][key], value, rtol=1e-4, atol=1e-5, msg=key)


def test_a_copy_to_measure_on_is_not_compiled():
    algorithm = create("dtg_ff", "cnn", (3, 8, 8), 3, backbone_config=CNN(width=8, depth=2))
    algorithm.run_as(Execution(compile=True))
    assert algorithm.execution.compile and not copy_of(algorithm).execution.compile
