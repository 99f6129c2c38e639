"""Passes through the library's mlp in plain numpy, for rules that state their updates by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tests.zoo import reference as ref


@dataclass(frozen=True)
class Pass:
    """What blocks read (``u``), pre-activations (``a``) and features (``h``), and what an output reads (``f``)."""

    u: list[ref.Array]
    a: list[ref.Array]
    h: list[ref.Array]
    f: ref.Array


def blocks(
    state: ref.Arrays, x: ref.Array, depth: int = ref.DEPTH, between: Callable[[ref.Array], ref.Array] = ref.layernorm
) -> Pass:
    """Blocks of ReLUs with ``between`` in front of all but the first."""
    u, a, h = [x.reshape(len(x), -1)], [], []
    for l in range(depth):
        a.append(ref.linear(u[l], state, l))
        h.append(ref.relu(a[l]))
        u.append(between(h[l]))
    return Pass(u[:-1], a, h, u[-1])


def softmax(z: ref.Array) -> ref.Array:
    return np.exp(ref.log_softmax(z))


def output(state: ref.Arrays, f: ref.Array) -> ref.Array:
    """Probabilities of the output layer."""
    return softmax(logits(state, f))


def logits(state: ref.Arrays, f: ref.Array) -> ref.Array:
    """Scores of the output layer."""
    return f @ state["output.weight"].T + state["output.bias"]


def surprise(p: ref.Array, target: ref.Array) -> float:
    """The cross-entropy of probabilities p with those of the target."""
    return float(-(target * np.log(p)).sum(1).mean())


def assert_moved(before: ref.Arrays, after: ref.Arrays, gradients: dict[str, ref.Array]) -> None:
    """Each tensor moved by minus LR times what is given; no other has moved."""
    for key, value in before.items():
        expected = value - ref.LR * gradients[key] if key in gradients else value
        assert key not in gradients or np.abs(after[key] - value).max() > 1e-7, f"{key} did not move"
        np.testing.assert_allclose(after[key], expected, rtol=0, atol=1e-10, err_msg=key)


def layer(delta: ref.Array, u: ref.Array, block: int) -> dict[str, ref.Array]:
    """Gradients of a block, given delta at its pre-activations and what it read; means over the batch."""
    prefix = f"backbone.blocks.{block}.linear."
    return {prefix + "weight": delta.T @ u / len(u), prefix + "bias": delta.mean(0)}


def output_layer(error: ref.Array, f: ref.Array) -> dict[str, ref.Array]:
    """Gradients of the output layer."""
    return {"output.weight": error.T @ f / len(f), "output.bias": error.mean(0)}
