"""Decoupled greedy learning (arXiv:1901.08164) in numpy: one step with a small network of every block's own."""

from __future__ import annotations

import numpy as np
import torch

from tests.zoo import classes
from tests.zoo import reference as ref


def auxiliary(h: ref.Array, state: ref.Arrays, block: int) -> ref.Array:
    """A linear layer, the norm over the sample, a shift, GELU x Phi(x), and a linear readout."""
    own = {key: state[f"goodness.{block}.0.{key}"] for key in ("filters.0", "shifts.0", "readout", "bias")}
    a = ref.layernorm(h @ own["filters.0"].T) + own["shifts.0"]
    return (a * normal(a)) @ own["readout"] + own["bias"]


def normal(x: ref.Array) -> ref.Array:
    """The normal distribution function; a complex step is its derivative times that step."""
    value = 0.5 * torch.special.erfc(-torch.from_numpy(np.array(x.real)) / 2**0.5).numpy()
    if not np.iscomplexobj(x):
        return value
    return value + 1j * x.imag * np.exp(-(x.real**2) / 2) / np.sqrt(2 * np.pi)


def test_updates():
    classes.check("dgl", auxiliary, ["filters.0", "shifts.0", "readout", "bias"])
