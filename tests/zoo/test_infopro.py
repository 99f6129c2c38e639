"""InfoPro (arXiv:2101.10832) in numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ffzoo.backbones.options import CNN, MLP
from ffzoo.errors import RecipeError
from ffzoo.parts.base import Context
from tests.zoo import reference as ref


def gelu(a: ref.Array) -> ref.Array:
    """x Phi(x); the error function of a complex number by its derivative, for steps of 1e-30."""
    real = np.vectorize(math.erf)(a.real / math.sqrt(2))
    slope = 2 / math.sqrt(math.pi) * np.exp(-(a.real**2) / 2) / math.sqrt(2)
    return a * (1 + real + 1j * slope * np.imag(a)) / 2


def test_goodness_loss_and_update():
    depth = 4
    algorithm, data = ref.build("infopro", config=MLP(width=ref.WIDTH, depth=depth)), ref.batch()
    x, y = ref.numpy(data.x), ref.numpy(data.y)
    keep, tell = [5.0, 2.75, 0.5, 0.0], [0.5, 0.75, 1.0, 1.0]

    def loss(state: ref.Arrays, block: int) -> ref.Array:
        u = x
        for l in range(block + 1):
            h = ref.relu(ref.linear(u, state, l))
            u = ref.layernorm(h)
        aux, decoder = f"goodness.{block}.0.", f"goodness.{block}.1."
        a = gelu(ref.layernorm(h @ state[aux + "filters.0"].T) + state[aux + "shifts.0"])
        z = a @ state[aux + "readout"] + state[aux + "bias"]
        rebuilt = h @ state[decoder + "layers.0"].T + state[decoder + "shifts.0"]
        return keep[block] * ((rebuilt - x) ** 2).mean() + tell[block] * ref.cross_entropy(z, y)

    before, after, losses = ref.step_and_losses(algorithm, data)
    ref.assert_losses(losses, lambda l: loss(before, l), range(depth))
    trained = []
    for l in range(depth):
        keys = [f"backbone.blocks.{l}.linear.weight", f"backbone.blocks.{l}.linear.bias"]
        keys += [f"goodness.{l}.0.{name}" for name in ("filters.0", "shifts.0", "readout", "bias")]
        if l < depth - 1:  # the last block rebuilds nothing
            keys += [f"goodness.{l}.1.layers.0", f"goodness.{l}.1.shifts.0"]
        ref.assert_updates(before, after, lambda s, l=l: loss(s, l), keys)
        trained += keys
    for key in before.keys() - set(trained):
        np.testing.assert_array_equal(after[key], before[key], err_msg=key)


def test_a_map_is_enlarged_and_convolved():
    algorithm = ref.build("infopro", shape=(2, 4, 4), backbone="cnn", config=CNN(width=8, depth=2))
    state = ref.arrays(algorithm)
    decoder = algorithm.terms(1)[1][0]
    h = torch.rand(3, 16, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert algorithm.backbone.feature_shapes[1] == h.shape[1:]
    along = np.array([[1, 0], [2 / 3, 1 / 3], [1 / 3, 2 / 3], [0, 1]])  # corners stay where they are
    large = np.einsum("rp,bcpq,sq->bcrs", along, h.numpy(), along)
    hidden = ref.relu(convolve(large, state, 0))
    np.testing.assert_allclose(ref.numpy(decoder(h)), convolve(hidden, state, 1), rtol=0, atol=1e-10)


def convolve(x: ref.Array, state: ref.Arrays, layer: int) -> ref.Array:
    """3x3 convolution with zeros around the map, position by position."""
    w, b = state[f"goodness.1.1.layers.{layer}"], state[f"goodness.1.1.shifts.{layer}"]
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    out = np.zeros((len(x), len(w), *x.shape[2:]), x.dtype)
    for r in range(x.shape[2]):
        for c in range(x.shape[3]):
            out[:, :, r, c] = np.einsum("bchw,dchw->bd", padded[:, :, r : r + 3, c : c + 3], w) + b
    return out


def test_a_label_in_further_inputs_is_refused():
    loss = ref.build("infopro").terms(0)[1][1]
    ctx = Context(None, (1,), 0, 2, 0, True, None, torch.zeros(ref.ROWS, ref.INPUTS))
    with pytest.raises(RecipeError, match="label embedding"):
        loss((torch.zeros(ref.ROWS, ref.INPUTS + ref.CLASSES),), ctx)
