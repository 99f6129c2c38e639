"""What the tests here share: a rule is stated in plain numpy, and one step of it compared with the library's.

A reference is a function of numpy arrays, written from a paper's equations; nothing of the library is in it. Its
gradient is taken by complex steps, f'(w) = Im f(w + i h) / h with h = 1e-30, which is exact to rounding: so a
reference states the loss alone, and must be written with functions that take complex numbers and compare real parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ffzoo.algorithms.build import algorithm_spec, create
from ffzoo.algorithms.contract import Algorithm
from ffzoo.algorithms.options import FitOptions
from ffzoo.backbones.options import MLP
from ffzoo.data.batch import Batch

Array = np.ndarray
Arrays = dict[str, Array]

LR = 0.1
ROWS, INPUTS, WIDTH, DEPTH, CLASSES = 6, 9, 8, 3, 4


def build(
    name: str,
    settings: Mapping[str, Any] | None = None,
    *,
    shape: tuple[int, ...] = (INPUTS,),
    backbone: str = "mlp",
    config: Any = None,
    classes: int = CLASSES,
    seed: int = 0,
    **fit: Any,
) -> Algorithm:
    """A registered algorithm in float64 on a tiny network, trained by plain gradient descent at the rate LR."""
    options = FitOptions(lr=LR, optimizer="sgd", weight_decay=0.0, schedule="constant", seed=seed, **fit)
    if config is None and backbone == "mlp":
        config = MLP(width=WIDTH, depth=DEPTH)
    algorithm = create(
        algorithm_spec(name, settings), backbone, shape, classes, fit=options, backbone_config=config
    ).double()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():  # biases and scales that start at zero or one would hide a mistake
        for p in algorithm.parameters():
            p.add_(0.1 * torch.randn(p.shape, generator=generator, dtype=torch.float64))
    return algorithm


def batch(
    shape: tuple[int, ...] = (INPUTS,), classes: int = CLASSES, rows: int = ROWS, seed: int = 1, epoch: int = 0
) -> Batch:
    """Random inputs with every label at least once where there is room."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, *shape, generator=generator, dtype=torch.float64)
    y = (torch.arange(rows) % classes)[torch.randperm(rows, generator=generator)]
    return Batch(x, y, torch.arange(rows), epoch, torch.Generator().manual_seed(seed))


def arrays(algorithm: Algorithm) -> Arrays:
    """The state dict as numpy arrays, copied."""
    return {key: value.detach().numpy().copy() for key, value in algorithm.state_dict().items()}


def step(algorithm: Algorithm, data: Batch) -> tuple[Arrays, Arrays]:
    """The state before and after one training step."""
    return step_and_losses(algorithm, data)[:2]


def step_and_losses(algorithm: Algorithm, data: Batch) -> tuple[Arrays, Arrays, dict[str, float]]:
    """The state before and after one training step, and the losses that it reports, by their place (``"1"``)."""
    before = arrays(algorithm)
    metrics = algorithm.train_step(data)
    losses = {key.removeprefix("loss/"): float(value) for key, value in metrics.items() if key.startswith("loss/")}
    return before, arrays(algorithm), losses


def gradient(loss: Callable[[Array], Any], at: Array) -> Array:
    """dloss/dat of a real function by complex steps, entry by entry."""
    h, result = 1e-30, np.zeros(at.shape)
    for index in np.ndindex(at.shape):
        moved = at.astype(complex)
        moved[index] += 1j * h
        result[index] = np.imag(loss(moved)) / h
    return result


def assert_updates(
    before: Arrays, after: Arrays, loss: Callable[[Arrays], Any], keys: list[str], rate: float = LR, tol: float = 1e-10
) -> None:
    """Each of ``keys`` moved by minus ``rate`` times the gradient of ``loss`` (a function of the whole state).

    A loss that is local to a block must be given as that block's alone.
    """
    for key in keys:
        expected = before[key] - rate * gradient(lambda w, key=key: loss({**before, key: w}), before[key])
        assert np.abs(after[key] - before[key]).max() > 1e-7, f"{key} did not move"
        np.testing.assert_allclose(after[key], expected, rtol=0, atol=tol, err_msg=key)


def assert_losses(
    losses: Mapping[str, float], expected: Callable[[int], Any], blocks: Iterable[int] = range(DEPTH)
) -> None:
    """The losses reported are those expected of ``blocks``, and there are no others."""
    assert losses.keys() == {str(l + 1) for l in blocks}
    for l in blocks:
        np.testing.assert_allclose(
            losses[str(l + 1)], np.real(expected(l)), rtol=0, atol=1e-10, err_msg=f"loss/{l + 1}"
        )


def numpy(x: Tensor) -> Array:
    """A tensor as an array."""
    return x.detach().numpy()


# ---- functions of the papers' equations; all take complex arrays


def relu(a: Array) -> Array:
    return np.where(a.real > 0, a, 0)


def linear(x: Array, state: Arrays, block: int) -> Array:
    """Pre-activations of block ``block`` of the library's mlp, whose weights are (out, in)."""
    prefix = f"backbone.blocks.{block}.linear."
    return x.reshape(len(x), -1) @ state[prefix + "weight"].T + state[prefix + "bias"]


def layernorm(h: Array) -> Array:
    """Mean 0 and variance 1 a sample."""
    flat = h.reshape(len(h), -1)
    centred = flat - flat.mean(1, keepdims=True)
    return (centred / np.sqrt((centred**2).mean(1, keepdims=True) + 1e-5)).reshape(h.shape)


def rms(h: Array) -> Array:
    """Mean square 1 a sample."""
    return h / np.sqrt((h**2).mean(tuple(range(1, h.ndim)), keepdims=True) + 1e-8)


def l2(h: Array) -> Array:
    """Euclidean norm 1 a sample."""
    return h / np.sqrt((h**2).sum(tuple(range(1, h.ndim)), keepdims=True))


def softplus(z: Array) -> Array:
    return np.where(z.real > 0, z, 0) + np.log(1 + np.exp(np.where(z.real > 0, -z, z)))


def log_softmax(z: Array) -> Array:
    shifted = z - z.real.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


def cross_entropy(z: Array, y: Array) -> Array:
    return -log_softmax(z)[np.arange(len(y)), y].mean()


def onehot(y: Array, classes: int = CLASSES) -> Array:
    return np.eye(classes)[y]
