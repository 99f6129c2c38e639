"""The class-goodness family, each rule as its paper writes it, in numpy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from ffzoo.backbones.options import CNN
from tests.zoo import reference as ref


def groups(width: int, classes: int) -> list[np.ndarray]:
    """Channels of each class, as evenly as they go."""
    return [np.array([c for c in range(width) if c * classes // width == k]) for k in range(classes)]


def group_scores(h: ref.Array, power: int) -> ref.Array:
    return np.stack([(h[:, g] ** power).mean(1) for g in groups(h.shape[1], ref.CLASSES)], 1)


def unit(a: ref.Array, axis: int) -> ref.Array:
    return a / np.sqrt((a**2).sum(axis, keepdims=True))


def square_wave(width: int) -> ref.Array:
    frequencies = np.linspace(50, 512, ref.CLASSES)
    return np.sign(np.sin(np.outer(np.arange(width), frequencies)))


def log_sum_exp(z: ref.Array) -> ref.Array:
    """Over the last axis."""
    top = z.real.max(-1, keepdims=True)
    return top[..., 0] + np.log(np.exp(z - top).sum(-1))


def matrix(s: ref.Arrays, l: int) -> ref.Array:
    return s[f"goodness.{l}.0.projection"]


def dtg(h: ref.Array, s: ref.Arrays, l: int) -> ref.Array:
    temperature = 0.1 + 1.9 / (1 + np.exp(-s[f"goodness.{l}.0.alpha"]))
    return h**2 @ matrix(s, l) / temperature


def dtg_gap(h: ref.Array, s: ref.Arrays, l: int) -> ref.Array:
    return h @ matrix(s, l) / (0.1 + 1.9 / (1 + np.exp(-s[f"goodness.{l}.0.alpha"])))


def hff(h: ref.Array, s: ref.Arrays, l: int) -> ref.Array:
    cosines = unit(h, 1) @ unit(matrix(s, l), 0)
    return log_sum_exp((cosines / 0.1).reshape(len(h), ref.CLASSES, 3))


RULES: dict[str, tuple[Callable[[ref.Array, ref.Arrays, int], ref.Array], list[str]]] = {
    "dtg_ff": (dtg, ["alpha"]),
    "dtg_ff_gap": (dtg_gap, ["alpha"]),
    "deeperforward": (lambda h, s, l: group_scores(h, 1), []),
    "cwcomp": (lambda h, s, l: group_scores(batch_norm(h), 2), []),
    "asge": (lambda h, s, l: h**2 @ matrix(s, l) + s[f"goodness.{l}.0.bias"], []),
    "mono_forward": (lambda h, s, l: h @ matrix(s, l), ["projection"]),
    "nokland_pred": (lambda h, s, l: h @ matrix(s, l) + s[f"goodness.{l}.0.bias"], ["projection", "bias"]),
    "lls": (lambda h, s, l: unit(h, 1) @ square_wave(h.shape[1]) / 0.5, []),
    "lls_m": (lambda h, s, l: s[f"goodness.{l}.0.mix"] * (unit(h, 1) @ square_wave(h.shape[1])) / 0.1, ["mix"]),
    "lls_mxm": (lambda h, s, l: unit(h, 1) @ square_wave(h.shape[1]) @ s[f"goodness.{l}.0.mix"] / 0.1, ["mix"]),
    "lls_random": (lambda h, s, l: h @ matrix(s, l), []),
    "dcl_s": (lambda h, s, l: h @ matrix(s, l) / 20, []),
    "dcl": (lambda h, s, l: h @ s["shared.label_dictionary.embeddings"] / 20, []),
    "hff": (hff, ["projection"]),
}


def group_norm(h: ref.Array) -> ref.Array:
    """Eight units: four groups of two, for a group of one would be zero."""
    pairs = h.reshape(len(h), 4, 2)
    centred = pairs - pairs.mean(2, keepdims=True)
    return (centred / np.sqrt((centred**2).mean(2, keepdims=True) + 1e-5)).reshape(h.shape)


def batch_norm(h: ref.Array) -> ref.Array:
    centred = h - h.mean(0)
    return centred / np.sqrt((centred**2).mean(0) + 1e-5)


NORMS = {"deeperforward": group_norm, "cwcomp": batch_norm, "mono_forward": lambda h: h, "hff": ref.rms}


def features(x: ref.Array, s: ref.Arrays, block: int, norm: Callable[[ref.Array], ref.Array]) -> ref.Array:
    u = x
    for l in range(block + 1):
        h = ref.relu(ref.linear(u, s, l))
        u = norm(h)
    return h


@pytest.mark.parametrize("name", RULES)
def test_loss_and_update(name):
    score, learned = RULES[name]
    norm = NORMS.get(name, ref.layernorm)
    algorithm, data = ref.build(name), ref.batch()
    x, y = ref.numpy(data.x), ref.numpy(data.y)

    def loss(s: ref.Arrays, l: int) -> ref.Array:
        return ref.cross_entropy(score(features(x, s, l, norm), s, l), y)

    before, after = ref.step(algorithm, data)
    metrics = ref.build(name).train_step(ref.batch())
    for l in range(ref.DEPTH):
        keys = [f"backbone.blocks.{l}.linear.{part}" for part in ("weight", "bias")]
        keys += [f"goodness.{l}.0.{part}" for part in learned]
        ref.assert_updates(before, after, lambda s, l=l: loss(s, l), keys)
        np.testing.assert_allclose(float(metrics[f"loss/{l + 1}"]), loss(before, l).real, atol=1e-10)
    if name == "dcl":  # the one thing that all losses teach
        total = lambda s: sum(loss(s, l) for l in range(ref.DEPTH))  # noqa: E731
        ref.assert_updates(before, after, total, ["shared.label_dictionary.embeddings"])


def test_one_table_serves_all_blocks_of_dcl_s():
    state = ref.arrays(ref.build("dcl_s"))
    assert all(np.array_equal(matrix(state, 0), matrix(state, l)) for l in range(ref.DEPTH))


@pytest.mark.parametrize(("name", "first", "second"), [("cwcomp_pvn", 0.0, 1.0), ("cwcomp_cwg", 0.28, 0.72)])
def test_the_losses_of_cwcomp(name, first, second):
    algorithm, data = ref.build(name), ref.batch()
    x, y = ref.numpy(data.x), ref.numpy(data.y)
    rows = np.arange(len(y))

    def loss(s: ref.Arrays, l: int) -> ref.Array:
        g = group_scores(batch_norm(features(x, s, l, batch_norm)), 2)
        others = (g.sum(1) - g[rows, y]) / (ref.CLASSES - 1)
        against = np.concatenate([ref.softplus(2 - g[rows, y]), ref.softplus(others - 2)]).mean()
        return first * ref.cross_entropy(g, y) + second * against

    before, after = ref.step(algorithm, data)
    for l in range(ref.DEPTH):
        ref.assert_updates(before, after, lambda s, l=l: loss(s, l), [f"backbone.blocks.{l}.linear.weight"])


def test_asge_sums_energies_over_patches_as_many_as_channels_are_missing():
    """Four blocks of 6, 12, 24 and 24 channels: 4, 2, 1 and 1 patches a side."""
    algorithm = ref.build("asge", shape=(1, 8, 8), backbone="cnn", config=CNN(width=6, depth=4))
    data = ref.batch(shape=(1, 8, 8))
    state = ref.arrays(algorithm)
    blocks = algorithm.features(data.x)
    scores = algorithm.scores(data.x)[1]
    for l, patches in enumerate((4, 2, 1, 1)):
        h = ref.numpy(blocks[l])
        side = h.shape[2] // patches
        g = (h**2).reshape(len(h), h.shape[1], patches, side, patches, side).sum((3, 5)).reshape(len(h), -1)
        expected = g @ matrix(state, l) + state[f"goodness.{l}.0.bias"]
        np.testing.assert_allclose(ref.numpy(scores[l]), expected, rtol=0, atol=1e-10)


def test_groups_of_maps_average_channels_and_positions():
    algorithm = ref.build("deeperforward", shape=(1, 6, 6), backbone="cnn", config=CNN(width=8, depth=2))
    x = ref.batch(shape=(1, 6, 6)).x
    h = ref.numpy(algorithm.features(x)[0])
    expected = np.stack([h[:, g].mean((1, 2, 3)) for g in groups(8, ref.CLASSES)], 1)
    np.testing.assert_allclose(ref.numpy(algorithm.scores(x)[1][0]), expected, rtol=0, atol=1e-10)


def test_mono_forward_adds_up_the_scores_themselves():
    algorithm, x = ref.build("mono_forward"), ref.batch().x
    fused, blocks = algorithm.scores(x)
    torch.testing.assert_close(fused, sum(blocks))
