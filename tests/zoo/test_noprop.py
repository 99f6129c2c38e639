"""NoProp in discrete time (arXiv:2503.24322) in numpy."""

from __future__ import annotations

import numpy as np
import torch

from tests.zoo import passes
from tests.zoo import reference as ref

SIGNAL = np.sin(np.pi * np.arange(ref.DEPTH + 1) / (2 * (ref.DEPTH + 1))) ** 2


def denoised(state: ref.Arrays, l: int, h: ref.Array, z: ref.Array) -> ref.Array:
    read = np.concatenate([ref.layernorm(h), z], 1)
    hidden = ref.relu(read @ state[f"denoisers.{l}.0.weight"].T + state[f"denoisers.{l}.0.bias"])
    return passes.softmax(hidden @ state[f"denoisers.{l}.2.weight"].T + state[f"denoisers.{l}.2.bias"])


def test_losses_and_every_update():
    data = ref.batch()
    x, y = ref.numpy(data.x), ref.numpy(data.y)
    shape = (ref.DEPTH + 1, ref.ROWS, ref.CLASSES)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64).numpy()
    noisy = [np.sqrt(a) * ref.onehot(y) + np.sqrt(1 - a) * n for a, n in zip(SIGNAL, noise, strict=True)]
    algorithm = ref.build("noprop", {"width": 7, "eta": 0.3})
    before, after = ref.step(algorithm, data)

    def loss(state: ref.Arrays, l: int) -> ref.Array:
        snr = SIGNAL / (1 - SIGNAL)
        h = passes.blocks(state, x, l + 1).h[l]
        squared = ((denoised(state, l, h, noisy[l]) - ref.onehot(y)) ** 2).sum(1)
        return ref.DEPTH / 2 * 0.3 * (snr[l + 1] - snr[l]) * squared.mean()

    def output_loss(state: ref.Arrays) -> ref.Array:
        return ref.cross_entropy(noisy[-1] @ state["output.weight"].T + state["output.bias"], y)

    for l in range(ref.DEPTH):
        keys = [f"backbone.blocks.{l}.linear.", f"denoisers.{l}.0.", f"denoisers.{l}.2."]
        names = [key + name for key in keys for name in ("weight", "bias")]
        ref.assert_updates(before, after, lambda s, l=l: loss(s, l), names)
    ref.assert_updates(before, after, output_loss, ["output.weight", "output.bias"])
    found = [float(value.detach()) for value in ref.build("noprop", {"width": 7, "eta": 0.3}).losses(ref.batch())]
    wanted = [*(loss(before, l) for l in range(ref.DEPTH)), output_loss(before)]
    np.testing.assert_allclose(found, np.real(wanted), rtol=0, atol=1e-12)


def test_prediction_is_the_mean_of_the_chain():
    algorithm, data = ref.build("noprop"), ref.batch()
    state = ref.arrays(algorithm)
    seen, z = passes.blocks(state, ref.numpy(data.x)), np.zeros((ref.ROWS, ref.CLASSES))
    blocks = []
    for l in range(ref.DEPTH):
        p = denoised(state, l, seen.h[l], z)
        # q(z_t | y) = N(sqrt(A_t) u, 1 - A_t) is the prior, q(z_(t-1) | z_t) = N(sqrt(r) z_t, 1 - r) the likelihood.
        a, r = SIGNAL[l + 1], SIGNAL[l] / SIGNAL[l + 1]
        precision = 1 / (1 - a) + r / (1 - r)
        z = (np.sqrt(a) * p / (1 - a) + np.sqrt(r) * z / (1 - r)) / precision
        blocks.append(p)
    scores, found = algorithm.scores(data.x)
    np.testing.assert_allclose(
        ref.numpy(scores), z @ state["output.weight"].T + state["output.bias"], rtol=0, atol=1e-12
    )
    for p, q in zip(blocks, found, strict=True):
        np.testing.assert_allclose(ref.numpy(q), p, rtol=0, atol=1e-12)
