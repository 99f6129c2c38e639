"""The class goodness: its formula in plain numpy, its closed-form gradient, its invariants."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ffzoo.algorithms.build import algorithm_spec, create
from ffzoo.errors import OptionError, RecipeError
from ffzoo.parts import options
from ffzoo.parts.base import Build
from ffzoo.parts.projection import Projection, pool_grid
from ffzoo.parts.projection_matrices import group_matrix, wave_matrix

shapes = st.one_of(st.tuples(st.integers(4, 9)), st.tuples(st.integers(4, 7), st.integers(1, 7), st.integers(1, 7)))
configs = st.builds(
    options.Projection,
    power=st.sampled_from([1, 2]),
    grid=st.one_of(st.integers(1, 8), st.just("all")),
    pool=st.sampled_from(["mean", "sum"]),
    projection=st.sampled_from(["random", "orthogonal", "learned", "groups", "waves", "embeddings"]),
    wave=st.sampled_from(["square", "sine"]),
    mix=st.sampled_from(["none", "scale", "matrix"]),
    unit=st.booleans(),
    bias=st.sampled_from(["none", "frozen", "learned"]),
    temperature=st.one_of(st.floats(0.2, 3), st.just("learned")),
    clamp=st.sampled_from([0.0, 0.5, 50.0]),
)


def build(config, shape, classes, seed):
    generator = torch.Generator().manual_seed(seed)
    goodness = Projection(config, Build(tuple(shape), classes, 0, 1, generator)).double()
    if config.temperature == "learned":
        with torch.no_grad():
            goodness.alpha.fill_(float(torch.randn((), generator=generator)))
    return goodness, generator


def numpy_scores(goodness, h):
    """The module's formula, written down a second time."""
    c, h = goodness.config, h.numpy() ** goodness.config.power
    if h.ndim == 4 and c.grid != "all":
        size = min(c.grid, *h.shape[2:])
        edges = [[(i * n // size, -(-(i + 1) * n // size)) for i in range(size)] for n in h.shape[2:]]
        reduce = np.mean if c.pool == "mean" else np.sum
        windows = [[reduce(h[:, :, a:b, d:e], axis=(2, 3)) for d, e in edges[1]] for a, b in edges[0]]
        h = np.stack([np.stack(row, -1) for row in windows], -2)
    p = goodness.projection.detach().numpy()
    if c.unit:
        p = p / np.maximum(np.sqrt((p**2).sum(0)), 1e-12)
    if c.mix == "scale":
        p = p @ np.diag(goodness.mix.detach().numpy())
    elif c.mix == "matrix":
        p = p @ goodness.mix.detach().numpy()
    z = h.reshape(len(h), -1) @ p
    if c.bias != "none":
        z = z + goodness.bias.detach().numpy()
    t = c.temperature
    if t == "learned":
        t = c.t_min + (c.t_max - c.t_min) / (1 + np.exp(-goodness.alpha.item()))
    z = z / t
    return np.clip(z, -c.clamp, c.clamp) if c.clamp else z


@given(configs, shapes, st.integers(2, 4), st.integers(1, 5), st.integers(0, 99))
def test_scores_are_the_formula(config, shape, classes, batch, seed):
    goodness, generator = build(config, shape, classes, seed)
    h = torch.randn(batch, *shape, generator=generator).double().relu()
    np.testing.assert_allclose(goodness(h).detach().numpy(), numpy_scores(goodness, h), rtol=1e-10, atol=1e-12)


@given(
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 7), st.integers(1, 7)),
    st.integers(1, 8),
    st.sampled_from(["mean", "sum"]),
    st.sampled_from([1, 2]),
    st.booleans(),
)
def test_pooling_and_its_gradient_are_torchs(shape, grid, mode, power, channels_last):
    layout = torch.channels_last if channels_last else torch.contiguous_format
    h = torch.randn(shape, dtype=torch.float64).contiguous(memory_format=layout).requires_grad_()
    size = min(grid, *shape[2:])
    want = torch.nn.functional.adaptive_avg_pool2d(h**power, size)
    if mode == "sum":
        want = want * torch.nn.functional.adaptive_avg_pool2d(torch.ones(shape).double(), size)
        edges = [[-(-(i + 1) * n // size) - i * n // size for i in range(size)] for n in shape[2:]]
        want = want * torch.outer(*(torch.tensor(e) for e in edges))
    got = pool_grid(h, grid, mode, power)
    torch.testing.assert_close(got, want.flatten(1), rtol=1e-12, atol=1e-12)
    d = torch.randn_like(got)
    (plain,) = torch.autograd.grad(want.flatten(1), h, d)
    (ours,) = torch.autograd.grad(got, h, d)
    torch.testing.assert_close(ours, plain, rtol=1e-12, atol=1e-12)


def test_pooling_of_half_precision_is_full_precision():
    h = torch.rand(2, 3, 6, 6).bfloat16().requires_grad_()
    pooled = pool_grid(h, 3, power=2)
    torch.testing.assert_close(pooled, pool_grid(h.float(), 3, power=2), rtol=0, atol=0)
    pooled.sum().backward()
    assert pooled.dtype == torch.float32 and h.grad.dtype == torch.bfloat16


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 9))
def test_groups_differ_by_at_most_one_channel(channels, classes, positions):
    if channels < classes:
        with pytest.raises(RecipeError, match=f"{channels} channels for {classes}"):
            group_matrix((channels, 1, 1), positions, classes)
        return
    matrix = group_matrix((channels, 3, 3), positions, classes)
    sizes = (matrix > 0).sum(0) // positions
    assert int(sizes.max() - sizes.min()) <= 1 and int(sizes.sum()) == channels
    torch.testing.assert_close(matrix.sum(0), torch.ones(classes))  # a mean over the group


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_sum_pooling_counts_every_position_of_its_window(height, width, grid):
    ones = torch.ones(1, 1, height, width)
    size = min(grid, height, width)
    mean, total = pool_grid(ones, grid), pool_grid(ones, grid, "sum")
    assert mean.shape == (1, size * size) and bool((mean == 1).all())
    assert float(total.sum()) >= height * width - 1e-3


@given(st.sampled_from(["random", "orthogonal"]), st.integers(2, 60), st.integers(2, 30), st.integers(0, 99))
def test_frozen_projections_have_the_scale_of_one_over_d(kind, d, classes, seed):
    goodness, _ = build(options.Projection(projection=kind, power=1), (d,), classes, seed)
    p = goodness.projection
    assert not isinstance(p, torch.nn.Parameter)
    if kind == "orthogonal":
        gram = p.T @ p if d >= classes else p @ p.T
        scale = 1.0 if d >= classes else classes / d
        torch.testing.assert_close(gram, scale * torch.eye(len(gram)).double(), rtol=1e-5, atol=1e-5)


@given(st.floats(0.01, 100), st.sampled_from([1, 2]), st.integers(0, 99))
def test_scaling_features_scales_scores_by_the_power(factor, power, seed):
    goodness, generator = build(options.Projection(power=power, temperature=0.7), (5, 4, 4), 3, seed)
    h = torch.rand(2, 5, 4, 4, generator=generator).double()
    torch.testing.assert_close(goodness(factor * h), factor**power * goodness(h), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["dtg_ff", "dtg_ff_gap"])
def test_training_leaves_the_projection_and_keeps_the_temperature_in_range(name):
    algorithm = create(name, "mlp", (12,), 4)
    frozen = [g[0].projection.clone() for g in algorithm.goodness]
    generator = torch.Generator().manual_seed(0)
    for _ in range(30):
        x = torch.randn(16, 12, generator=generator)
        algorithm.train_step(x, torch.randint(4, (16,), generator=generator))
    for goodness, before in zip(algorithm.goodness, frozen, strict=True):
        assert torch.equal(goodness[0].projection, before)
        assert 0.1 <= goodness[0].temperature().item() <= 2.0
        assert goodness[0].alpha.item() != 0.0  # it is learned


def test_the_two_readings_are_presets_of_the_one_primitive():
    grid, gap = (algorithm_spec(n).recipe.terms[0].goodness for n in ("dtg_ff", "dtg_ff_gap"))
    assert (grid.power, grid.grid, gap.power, gap.grid) == (2, 4, 1, 1)
    assert (
        algorithm_spec("dtg_ff", {"goodness.power": 1, "goodness.grid": 1}).recipe
        == algorithm_spec("dtg_ff_gap").recipe
    )


@given(st.integers(1, 40), st.integers(2, 12), st.booleans())
def test_waves_have_a_frequency_a_class(d, classes, sine):
    matrix = wave_matrix(d, classes, "sine" if sine else "square")
    for k in range(classes):
        for j in range(d):
            value = math.sin((50 + 462 * k / (classes - 1)) * j)
            expected = value if sine else (value > 0) - (value < 0)
            assert abs(float(matrix[j, k]) - expected) < 1e-6


def test_label_embeddings_are_one_table_averaged_to_each_blocks_width():
    shapes, shared = ((4, 8, 8), (8, 4, 4), (16,), (6,)), {}
    generator = torch.Generator().manual_seed(0)
    config = options.Projection(projection="embeddings", grid=1)
    parts = [Projection(config, Build(s, 3, l, 4, generator, 0.0, shapes, shared)) for l, s in enumerate(shapes)]
    table = parts[2].projection
    assert table.shape == (16, 3) and not list(shared.values())[1:]
    for part, width in zip(parts, (4, 8, 16), strict=False):
        torch.testing.assert_close(part.projection, table.view(width, -1, 3).mean(1))
    torch.testing.assert_close(parts[3].projection[0], table[:3].mean(0))  # windows of adaptive pooling
    assert all("projection" in dict(part.named_buffers()) for part in parts)


def test_a_pyramid_has_finer_grids_where_there_are_fewer_channels():
    shapes = ((4, 8, 8), (8, 8, 8), (16, 2, 2), (32, 8, 8), (16, 8, 8))
    generator = torch.Generator().manual_seed(0)
    config = options.Projection(grid="pyramid")
    parts = [Projection(config, Build(s, 3, l, 5, generator, 0.0, shapes)) for l, s in enumerate(shapes)]
    assert [part.projection.shape[0] for part in parts] == [4 * 16, 8 * 4, 16, 32, 16]
    h = torch.rand(2, 4, 8, 8)
    coarse = Projection(options.Projection(grid=4), Build((4, 8, 8), 3, 0, 5, generator))
    coarse.projection.copy_(parts[0].projection)
    torch.testing.assert_close(parts[0](h), coarse(h), rtol=0, atol=0)


@pytest.mark.parametrize(("name", "value"), [("projection", "groups"), ("projection", "waves"), ("mix", "scale")])
def test_several_prototypes_a_class_need_columns_of_their_own(name, value):
    with pytest.raises(OptionError, match="prototypes"):
        options.Projection(prototypes=2, **{name: value})
