"""How the features of a foreign module's block lie in memory, and how they become ``(B, C, H, W)`` or ``(B, D)``."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

Layout = Literal["nchw", "nhwc", "tokens", "channels_first", "flat"]


def layout_of(t: Tensor, channels: set[int], model: nn.Module) -> Layout:
    """Return how a tensor is laid out: known channel counts decide, then a square map, then the model's word."""
    if t.ndim == 2:
        return "flat"
    first, last = t.shape[1], t.shape[-1]
    if (first in channels) != (last in channels):
        is_first = first in channels
    elif t.ndim == 4 and (t.shape[1] == t.shape[2]) != (t.shape[2] == t.shape[3]):
        is_first = t.shape[2] == t.shape[3]
    elif t.ndim == 4:
        is_first = "NHWC" not in str(getattr(model, "output_fmt", "NCHW")).upper()
    else:
        is_first = t.ndim != 3
    if t.ndim == 4:
        return "nchw" if is_first else "nhwc"
    return "channels_first" if is_first else "tokens"


def as_features(t: Tensor, layout: Layout, prefix: int) -> Tensor:
    """Return a block's output as ``(B, C, H, W)`` or ``(B, D)``, without its first ``prefix`` tokens."""
    if layout in ("nchw", "flat"):
        return t
    if layout == "nhwc":
        return t.permute(0, 3, 1, 2)
    if layout == "tokens":
        t = t.flatten(1, -2)
        n = t.shape[1]
        if prefix and n > prefix and (_square(n - prefix) or not _square(n)):
            t = t[:, prefix:]
        t = t.transpose(1, 2)
    else:
        t = t.flatten(2)
    side = _square(t.shape[2])
    return t.reshape(*t.shape[:2], side, side) if side else t.unsqueeze(3)


def _square(n: int) -> int:
    side = round(n**0.5)
    return side if side * side == n else 0
