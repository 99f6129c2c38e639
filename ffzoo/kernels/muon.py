"""Muon: the momentum of a filter bank, made orthogonal (K. Jordan 2024, https://kellerjordan.github.io/posts/muon/).

    M <- momentum M + (1 - momentum) G          the momentum of the gradient G, filters flattened to rows
    X = (momentum M + (1 - momentum) G) / norm  Nesterov; Frobenius norm
    X <- a X + b S X + c S^2 X, S = X X^T       three times; drives the singular values of X towards 1
    W <- W - lr X

The factors of X are polynomials of the first S, so the three rounds are done with square matrices of the smaller
side, and X is multiplied once: half the arithmetic for as many channels in as out. All of it is in the precision of
the weights: torch's and timm's Muon compute in bfloat16, and on a CPU without units for it that was measured to take
three quarters of a training step.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

_A, _B, _C = 3.4445, -4.7750, 2.0315
_ROUNDS = 3


class Muon(torch.optim.Optimizer):
    """See the module's text; without rescaling by shape, and for weights of two dimensions or more.

    Args:
        params: parameters or groups of them.
        lr: learning rate.
        momentum: in [0, 1).
        weight_decay: decoupled, as AdamW's.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter] | Iterable[dict[str, Any]],
        lr: float,
        momentum: float,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient; ``closure`` is not called."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                mean = state["momentum"].lerp_(weight.grad, 1 - group["momentum"])
                update = orthogonalized(weight.grad.lerp(mean, group["momentum"]).flatten(1))
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.sub_(update.view_as(weight), alpha=group["lr"])


def orthogonalized(x: Tensor) -> Tensor:
    """Three Newton-Schulz rounds on ``x`` ``(rows, columns)``: the same singular vectors, values closer to 1."""
    if len(x) > x.shape[1]:
        return orthogonalized(x.T).T.contiguous()
    x = x / x.norm().clamp(min=1e-7)
    s = x @ x.T
    factor = p = _polynomial(s)
    for _ in range(_ROUNDS - 1):
        s = p @ s @ p
        p = _polynomial(s)
        factor = p @ factor
    return factor @ x


def _polynomial(s: Tensor) -> Tensor:
    """Return ``a I + b S + c S^2``."""
    p = torch.addmm(s, s, s, beta=_B, alpha=_C)
    p.diagonal().add_(_A)
    return p
