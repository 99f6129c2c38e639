"""The auxiliary network of decoupled greedy learning."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from ffzoo.algorithms.build import create
from ffzoo.backbones.batchnorm import has_batch_statistics
from ffzoo.data.batch import Batch
from ffzoo.errors import OptionError
from ffzoo.measure.memory import step_cost
from ffzoo.parts.base import Build
from ffzoo_zoo.dgl import AuxConv as Options
from ffzoo_zoo.dgl_parts import AuxConv


def built(shape, classes=5, seed=0, **options):
    generator = torch.Generator().manual_seed(seed)
    return AuxConv(Options(**options), Build(shape, classes, 0, 3, generator))


def test_the_formula_on_maps():
    goodness = built((6, 8, 8), width=4, layers=2)
    for shift in goodness.shifts:
        torch.nn.init.normal_(shift)
    h = torch.randn(3, 6, 8, 8)
    a = h.view(3, 6, 4, 2, 4, 2).mean((3, 5))
    for filters, shift in zip(goodness.filters, goodness.shifts, strict=True):
        a = F.conv2d(a, filters, padding=1)
        mean = a.mean((1, 2, 3), keepdim=True)
        a = (a - mean) / (a.var((1, 2, 3), unbiased=False, keepdim=True) + 1e-5).sqrt() + shift[:, None, None]
        a = 0.5 * a * (1 + torch.erf(a / math.sqrt(2)))
    expected = torch.einsum("bd,dk->bk", a.reshape(3, -1), goodness.readout) + goodness.bias
    torch.testing.assert_close(goodness(h), expected)
    channels_last = h.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(goodness(channels_last), expected)


def test_the_formula_on_vectors():
    goodness = built((12,))
    h = torch.randn(4, 12)
    a = F.gelu(F.layer_norm(h @ goodness.filters[0].T, (12,)) + goodness.shifts[0])
    torch.testing.assert_close(goodness(h), a @ goodness.readout + goodness.bias)


@pytest.mark.parametrize(
    ("shape", "options", "filters", "readout"),
    [
        ((256, 8, 8), {}, [(64, 256, 3, 3)], 64 * 16),
        ((32, 3, 5), {}, [(32, 32, 3, 3)], 32 * 9),  # the grid is clipped to the map
        ((32, 8, 8), {"width": 100, "grid": 2, "layers": 2}, [(100, 32, 3, 3), (100, 100, 3, 3)], 400),
        ((500,), {}, [(64, 500)], 64),
        ((8,), {"layers": 2}, [(8, 8), (8, 8)], 8),
    ],
)
def test_sizes(shape, options, filters, readout):
    goodness = built(shape, **options)
    assert [tuple(f.shape) for f in goodness.filters] == filters
    assert goodness.readout.shape == (readout, 5)
    assert goodness(torch.randn(2, *shape)).shape == (2, 5)
    assert not has_batch_statistics(goodness)


def test_initial_scores_have_a_variance_of_about_one_half():
    """The readout sees GELUs of unit normals, whose mean square is 0.43."""
    scores = built((64, 8, 8), classes=10)(torch.randn(500, 64, 8, 8))
    assert 0.2 < scores.square().mean() < 0.8


def test_the_generator_draws_all_of_it():
    before = torch.get_rng_state()
    first, same, other = built((6, 4, 4)), built((6, 4, 4)), built((6, 4, 4), seed=1)
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), same.parameters(), strict=True))
    assert not torch.equal(first.readout, other.readout)
    assert not torch.equal(first.filters[0], other.filters[0])


def test_it_costs_little_beside_the_blocks():
    batch = Batch(torch.randn(4, 3, 32, 32), torch.arange(4))
    flops = {n: step_cost(create(n, "whitened_cnn", (3, 32, 32), 10), batch).flops for n in ("dgl", "nokland_pred")}
    assert 1 < flops["dgl"] / flops["nokland_pred"] < 1.12


@pytest.mark.parametrize("options", [{"grid": 0}, {"width": -1}, {"layers": 0}])
def test_bad_options_are_refused(options):
    with pytest.raises(OptionError, match="expected at least"):
        Options(**options)
