"""Sample goodness: one number a sample."""

from __future__ import annotations

from torch import Tensor


def sum_squares(h: Tensor) -> Tensor:
    """G = sum of h^2 over all features, ``(B, ...) -> (B,)`` (Hinton 2022, arXiv:2212.13345)."""
    return h.square().flatten(1).sum(1)


def mean_squares(h: Tensor) -> Tensor:
    """G = mean of h^2 over all features, ``(B, ...) -> (B,)``: the sum, free of the block's width."""
    return h.square().flatten(1).mean(1)
