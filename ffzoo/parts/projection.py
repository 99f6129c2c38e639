"""The class goodness that most one-pass rules are instances of.

    a = pool_grid(h ** power)                 (B, d)
    z = reduce((a P + b) / T)                 (B, K)
    T = T_min + (T_max - T_min) * sigmoid(alpha), or a constant

With cross-entropy the gradient has a closed form (written for m = 1 prototype and no L2)::

    dL/da = P (softmax(z) - e_y) / (T B),  dL/dh = power h^(power-1) * pool_grid^T(dL/da)

DTG-FF is power 1 or 2, frozen random P ~ N(0, 1/d), learned T (arXiv:2606.06539); ASGE a frozen
random P on patch energies (arXiv:2509.12394); Mono-Forward a learned P (arXiv:2501.09238);
DeeperForward and CwComp channel groups (ICLR 2025; arXiv:2312.12668); LLS waves (arXiv:2405.15868);
DCL-S one table of label embeddings for all blocks (ICLR 2024); HFF learned unit columns (arXiv:2605.00082).
"""

from __future__ import annotations

import math
from typing import Any, cast

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ffzoo.backbones.base import full_precision
from ffzoo.parts import options
from ffzoo.parts.base import Build, Context, Goodness
from ffzoo.parts.projection_matrices import class_matrix

_EPS = 1e-12
_CACHE = 2**18  # numbers


def pool_grid(h: Tensor, grid: int | str, mode: str = "mean", power: int = 1) -> Tensor:
    """Pool ``h ** power`` on a grid of windows: ``(B, C, H, W) -> (B, C * g * g)``; ``(B, D)`` keeps its shape.

    Windows are those of adaptive average pooling; ``grid`` is clipped to ``min(H, W)``, and ``"all"`` keeps every
    position. ``h`` may be half precision; the result is not.
    """
    if h.dim() == 2 or grid == "all":
        h = full_precision(h).flatten(1)
        return h.square() if power == 2 else h
    if torch.compiler.is_compiling():  # the compiler fuses by itself
        return _pooled(h, min(int(grid), *h.shape[-2:]), mode, power)
    return cast(Tensor, _Pool.apply(h, min(int(grid), *h.shape[-2:]), mode, power))


class _Pool(torch.autograd.Function):
    """Pooling that neither writes ``h ** power`` nor its float32 copy to memory, forward or backward."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, size: int, mode: str, power: int) -> Tensor:
        if power == 2:
            ctx.save_for_backward(h)
        ctx.size, ctx.mode, ctx.power = size, mode, power
        ctx.shape, ctx.stride, ctx.dtype = h.shape, h.stride(), h.dtype
        # A few samples at a time never leave the cache.
        parts = h.split(max(1, _CACHE * len(h) // max(1, h.numel())))
        return torch.cat([_pooled(part, size, mode, power) for part in parts])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (da,) = gradients
        if ctx.power == 2:
            (h,) = ctx.saved_tensors
            return unpool(2 * da, ctx.size, ctx.mode, h, h), None, None, None
        like = torch.empty_strided(ctx.shape, ctx.stride, dtype=ctx.dtype, device=da.device)
        return unpool(da, ctx.size, ctx.mode, like), None, None, None


def _pooled(h: Tensor, size: int, mode: str, power: int) -> Tensor:
    """:func:`pool_grid` of a few samples."""
    h = full_precision(h)
    if power == 2:
        h = h.square()
    height, width = h.shape[-2:]
    if size == 1:  # the plain mean is several times as fast on the CPU
        pooled = h.mean((-2, -1), keepdim=True)
    elif height % size == 0 and width % size == 0:
        if torch.compiler.is_compiling():
            pooled = h.unflatten(3, (size, -1)).unflatten(2, (size, -1)).mean((3, 5))
        else:
            pooled = F.avg_pool2d(h, (height // size, width // size))
    else:
        pooled = F.adaptive_avg_pool2d(h, size)
    if mode == "sum":
        pooled = pooled * _counts(h, size)
    return pooled.flatten(1)


def _window(i: int, length: int, size: int) -> slice:
    """Window i of adaptive pooling; neighbours overlap by one position where ``size`` does not divide ``length``."""
    return slice(i * length // size, math.ceil((i + 1) * length / size))


def _counts(h: Tensor, size: int) -> Tensor:
    """Positions in each window, ``(size, size)``."""
    rows, cols = ([float(w.stop - w.start) for w in _windows(length, size)] for length in h.shape[-2:])
    return torch.outer(h.new_tensor(rows), h.new_tensor(cols))


def _windows(length: int, size: int) -> list[slice]:
    return [_window(i, length, size) for i in range(size)]


def unpool(da: Tensor, grid: int | str, mode: str, like: Tensor, factor: Tensor | None = None) -> Tensor:
    """Return the adjoint of :func:`pool_grid` (at power 1), times ``factor`` where one is given.

    Args:
        da: ``(B, d)``, shaped like what the pooling returns.
        grid: as of the pooling.
        mode: as of the pooling.
        like: the pooling's input: the result has its shape, type and layout.
        factor: shaped and laid out as ``like``.
    """
    if like.dim() == 2 or grid == "all":
        d = da.view(like.shape).to(like.dtype)
        return d if factor is None else factor * d
    height, width = like.shape[-2:]
    size = min(int(grid), height, width)
    d = da.view(len(like), like.shape[1], size, size).to(like.dtype)
    last = like.is_contiguous(memory_format=torch.channels_last)
    if height % size or width % size:
        if mode == "mean":
            d = d / _counts(like, size)
        rows, cols = (_spread(n, size).to(like) for n in (height, width))
        spread = torch.einsum("hi,bcij,wj->bchw", rows, d, cols)
        spread = spread.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)
        return spread if factor is None else factor * spread
    if mode == "mean":
        d = d * (size * size / (height * width))
    # Channels lie innermost in the one layout: a broadcast over the windows is then one vectorized pass.
    order = (0, 2, 3, 1) if last else (0, 1, 2, 3)
    axes = (1, 3) if last else (2, 4)
    d = d.permute(order).contiguous().unsqueeze(axes[0] + 1).unsqueeze(axes[1] + 1)
    shape = like.permute(order).shape
    windows = [*d.shape]
    windows[axes[0] + 1], windows[axes[1] + 1] = height // size, width // size
    whole = d.expand(windows) if factor is None else factor.permute(order).view(windows) * d
    whole = whole.reshape(shape)
    return whole.permute(0, 3, 1, 2) if last else whole


def _spread(length: int, size: int) -> Tensor:
    """Return ``(length, size)``: 1 where a position lies in a window."""
    matrix = torch.zeros(length, size)
    for i, window in enumerate(_windows(length, size)):
        matrix[window, i] = 1.0
    return matrix


class Projection(Goodness):
    """See the module's text; the options are :class:`ffzoo.parts.options.Projection`.

    Attributes:
        projection: P ``(d, K * m)`` before its columns are scaled or mixed; a parameter when learned, else a buffer.
        mix: what P's columns are multiplied with, ``(K,)`` or ``(K, K)``; only where the options ask for one.
        alpha: the learned temperature's scalar, 0 at the start: the middle of its range.
    """

    kind = "class"
    closed_form = True
    reads_half = True
    projection: Tensor
    bias: Tensor

    def __init__(self, config: options.Projection, build: Build) -> None:
        super().__init__(config, build)
        self.config, self.num_classes = config, build.num_classes
        widths = build.shapes[-1][0] / build.shape[0]
        self.grid: int | str = max(1, round(widths)) if config.grid == "pyramid" else config.grid
        positions = 1
        if len(build.shape) == 3:
            height, width = build.shape[1:]
            if config.max_features:
                finest = min(height, width) if self.grid == "all" else min(int(self.grid), height, width)
                bound = max(1, math.isqrt(config.max_features // build.shape[0]))
                self.grid = min(finest, bound)
            positions = height * width if self.grid == "all" else min(int(self.grid), height, width) ** 2
        k = build.num_classes * config.prototypes
        matrix = class_matrix(config, build, positions)
        bias = torch.zeros(k) if config.bias == "learned" else torch.randn(k, generator=build.generator)
        self._own("projection", matrix, learned=config.projection == "learned")
        if config.bias != "none":
            self._own("bias", bias, learned=config.bias == "learned")
        if config.mix != "none":
            size = (k, k) if config.mix == "matrix" else (k,)
            self.mix = nn.Parameter(0.01 * torch.randn(size, generator=build.generator))
        if config.temperature == "learned":
            self.alpha = nn.Parameter(torch.zeros(()))

    def _own(self, name: str, value: Tensor, learned: bool) -> None:
        if learned:
            self.register_parameter(name, nn.Parameter(value))
        else:
            self.register_buffer(name, value)

    def temperature(self) -> Tensor | float:
        """T, learned or constant."""
        c = self.config
        if c.temperature == "learned":
            return c.t_min + (c.t_max - c.t_min) * self.alpha.sigmoid()
        return c.temperature

    def readings(self) -> dict[str, float]:
        """Return the temperature where it is learned."""
        t = self.temperature()
        return {"temperature": float(t.detach())} if isinstance(t, Tensor) else {}

    def matrix(self) -> Tensor:
        """P ``(d, K * m)`` as it is multiplied with: unit columns where asked for, mixed where asked for."""
        p = self.projection
        if self.config.unit:
            p = F.normalize(p, dim=0, eps=_EPS)
        if self.config.mix == "none":
            return p
        return p @ self.mix if self.config.mix == "matrix" else p * self.mix

    def pooled(self, h: Tensor) -> Tensor:
        """Return a ``(B, d)`` of features ``h`` ``(B, C, H, W)`` or ``(B, D)``."""
        a = self._pooled_raw(h)
        return F.normalize(a, dim=1, eps=_EPS) if self.config.l2 == "pooled" else a

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """Return class scores z ``(B, K)``."""
        return self._reduce(self._logits(self.pooled(h), self.temperature()))

    def _pooled_raw(self, h: Tensor) -> Tensor:
        """Return the pooled vector before it is normalized."""
        if self.config.l2 == "position":
            h = F.normalize(full_precision(h), dim=1, eps=_EPS)
        return pool_grid(h, self.grid, self.config.pool, self.config.power)

    def _logits(self, a: Tensor, t: Tensor | float) -> Tensor:
        """Return (a P + b) / T, ``(B, K * m)``."""
        z = a @ self.matrix()
        if self.config.bias != "none":
            z = z + self.bias
        return z / t

    def _clamped(self, z: Tensor) -> Tensor:
        return z.clamp(-self.config.clamp, self.config.clamp) if self.config.clamp else z

    def _reduce(self, z: Tensor) -> Tensor:
        """Return ``(B, K * m) -> (B, K)``."""
        z = self._clamped(z)
        if self.config.prototypes > 1:
            z = rearrange(z, "b (k m) -> b k m", k=self.num_classes).logsumexp(-1)
        return z

    def scored(self, h: Tensor, ctx: Context) -> tuple[Tensor, Any]:
        """Return class scores z ``(B, K)``; keeps the pooled a, its norm, the temperature and the logits behind it."""
        a, norm = self._pooled_raw(h), None
        if self.config.l2 == "pooled":
            norm = a.norm(dim=1, keepdim=True).clamp_min_(_EPS)
            a = a / norm
        t = self.temperature()
        v = self._logits(a, t)
        learned = self.config.projection == "learned" or self.config.mix != "none"
        needed = a if norm is not None or learned else None
        return self._reduce(v), (needed, norm, t, v)

    def pull_back(self, h: Tensor, kept: Any, d_score: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Apply the module's closed form; a prototype has its softmax of the class, and L2 projects the radius out."""
        a, norm, t, v = kept
        c = self.config
        d = d_score
        if c.prototypes > 1:
            share = rearrange(self._clamped(v), "b (k m) -> b k m", k=self.num_classes).softmax(-1)
            d = rearrange(d[:, :, None] * share, "b k m -> b (k m)")
        if c.clamp:
            d = d * (v.abs() <= c.clamp)
        d_raw = d / t  # at a P + b
        gradients: dict[str, Tensor] = {}
        if c.temperature == "learned":
            slope = (t - c.t_min) * (c.t_max - t) / (c.t_max - c.t_min)  # dT/dalpha
            gradients["alpha"] = -(d_raw * v).sum() * slope
        if c.projection == "learned" or c.mix != "none":
            gradients |= self._of_matrix(a.T @ d_raw)
        if c.bias == "learned":
            gradients["bias"] = d_raw.sum(0)
        da = d_raw @ self.matrix().T
        if norm is not None:
            inside = norm <= _EPS  # F.normalize divides by a constant there
            da = (da - a * (a * da).sum(1, keepdim=True).masked_fill_(inside, 0.0)) / norm
        da = da * c.power
        if c.l2 == "position":
            norm = h.norm(dim=1, keepdim=True).clamp_min_(_EPS)
            n = h / norm
            dn = unpool(da, self.grid, c.pool, n, n if c.power == 2 else None)
            radial = (n * dn).sum(1, keepdim=True).masked_fill_(norm <= _EPS, 0.0)
            return h.sign() * (dn - n * radial) / norm, gradients
        return unpool(da, self.grid, c.pool, h, h if c.power == 2 else h.sign()), gradients

    def _of_matrix(self, d: Tensor) -> dict[str, Tensor]:
        """From the gradient at :meth:`matrix` to those of its parameters."""
        c, w, gradients = self.config, self.projection, {}
        length = w.norm(dim=0).clamp_min(_EPS)
        n = w / length if c.unit else w
        if c.mix != "none":
            gradients["mix"] = n.T @ d if c.mix == "matrix" else (n * d).sum(0)
            d = d @ self.mix.T if c.mix == "matrix" else d * self.mix
        if c.projection == "learned":
            gradients["projection"] = (d - n * (n * d).sum(0)) / length if c.unit else d
        return gradients
