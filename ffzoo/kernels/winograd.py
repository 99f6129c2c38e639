"""3x3 convolutions with fewer multiplications, exact but for rounding.

A tile of m x m outputs reads (m + 2) x (m + 2) inputs. As products of polynomials, with V the values of a polynomial
at n = m + 2 points, infinity among them (Toom and Cook; Winograd 1980; Lavin and Gray 2016, arXiv:1509.09308)::

    Y = A^T [(G w G^T) * (B^T x B)] A          A = V of m coefficients, G = V of 3, B = the inverse of V of n
    dw = G^T [(B^T x B) * (A dY A^T)] G        both summed over channels and tiles, as n^2 products of matrices

so that m^2 outputs cost (m + 2)^2 multiplications a pair of channels instead of 9 m^2: 3.2 to 5.4 times fewer, less
what the transforms cost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.overrides import TorchFunctionMode

_POINTS: dict[int, tuple[float, ...]] = {
    3: (0.75, -0.75, 1.5, -1.5),
    4: (0.0, 0.75, -0.75, 1.5, -1.5),
    5: (0.4, -0.4, 0.9, -0.9, 1.6, -1.6),
    7: (0.25, -0.25, 0.7, -0.7, 1.1, -1.1, 2.0, -2.0),
}
"""The finite points by side m of a tile, chosen for little rounding: 1e-6 to 2e-5 of a result in float32."""

_BYTES = 2**25  # of one transformed tensor
_CHANNELS = 64  # with fewer, on either side, the transforms cost more than they save
_PRODUCT = 64 * 128  # of the channels on both sides, for the same reason
_FEWER = 2  # times fewer multiplications at least: what a tile has beyond a small map is lost


class WinogradMode(TorchFunctionMode):
    """Inside ``with``, convolutions that :func:`suits` accepts, and gradients of their filters, are computed here."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """See :class:`torch.overrides.TorchFunctionMode`."""
        if func is F.conv2d:
            return _conv2d(*args, **kwargs or {})
        if func is torch.ops.aten.convolution_backward:
            return _convolution_backward(*args, **kwargs or {})
        return func(*args, **kwargs or {})


def _conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Return ``F.conv2d`` by whichever way is faster."""
    if suits(x, weight, stride, padding, dilation, groups):
        y = conv2d(x, weight)
        return y if bias is None else y + bias.view(-1, 1, 1)
    return F.conv2d(x, weight, bias, stride, padding, dilation, groups)


def _convolution_backward(*args: Any, **kwargs: Any) -> Any:
    """Return the gradient of filters alone, for blocks without autograd."""
    if not kwargs:
        d, x, weight, _, stride, padding, dilation, transposed, _, groups, wanted = args
        if wanted == [False, True, False] and not transposed and suits(x, weight, stride, padding, dilation, groups):
            return None, weight_gradient(x, d), None
    return torch.ops.aten.convolution_backward(*args, **kwargs)


def suits(x: Tensor, weight: Tensor, stride: Any, padding: Any, dilation: Any, groups: int) -> bool:
    """Return whether a convolution is 3x3 with stride 1 and padding 1, on a CPU, and gains by this."""
    return (
        x.device.type == "cpu"
        and x.dtype in (torch.float32, torch.float64)
        and not torch.is_autocast_enabled("cpu")
        and all(_pair(value) == (1, 1) for value in (stride, padding, dilation))
        and groups == 1
        and gains(x.shape, weight.shape)
    )


def gains(shape: Sequence[int], filters: Sequence[int]) -> bool:
    """Return whether inputs ``(B, C, H, W)`` and filters ``(C', C, 3, 3)`` are large enough to gain by it."""
    if len(shape) != 4 or tuple(filters[2:]) != (3, 3):
        return False
    fewer = 9 * shape[2] * shape[3] / _multiplications(tile(*shape[2:]), *shape[2:])
    return min(filters[:2]) >= _CHANNELS and filters[0] * filters[1] >= _PRODUCT and fewer >= _FEWER


def _pair(value: Any) -> Any:
    return (value, value) if isinstance(value, int) else tuple(value)


def conv2d(x: Tensor, weight: Tensor) -> Tensor:
    """Return the 3x3 convolution of ``x`` ``(B, C, H, W)``, padding 1: ``(B, C', H, W)``, channels innermost in memory.

    Args:
        x: inputs, float32 or float64.
        weight: filters ``(C', C, 3, 3)``.
    """
    return _Conv2d.apply(x, weight) if torch.is_grad_enabled() else _forward(x, weight)


class _Conv2d(torch.autograd.Function):
    """Keeps the transformed input for the gradient: about twice the memory of the input itself."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        reads: list[Tensor] | None = [] if ctx.needs_input_grad[1] else None
        y = _forward(x, weight, reads)
        ctx.m = tile(*x.shape[2:])
        ctx.save_for_backward(weight, *reads or ())
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d: Tensor) -> tuple[Tensor | None, Tensor | None]:
        weight, *reads = ctx.saved_tensors
        d_x = d_weight = None
        if ctx.needs_input_grad[0]:
            d_x = _forward(d, weight.flip(2, 3).transpose(0, 1))
        if ctx.needs_input_grad[1]:
            d_weight = _weight_gradient(reads, d, ctx.m)
        return d_x, d_weight


def _forward(x: Tensor, weight: Tensor, reads: list[Tensor] | None = None) -> Tensor:
    """Return the output; ``reads`` gets the transformed inputs, a few samples each."""
    (_, channels, height, width), outputs = x.shape, len(weight)
    m = tile(height, width)
    of_inputs, of_filters, of_outputs = transforms(m, x.dtype, x.device)
    rows, columns = _grid(m, height, width)
    filters = (of_filters @ weight.permute(2, 3, 1, 0).reshape(9, -1)).view(-1, channels, outputs)
    y = x.new_empty(len(x), height, width, outputs)
    samples = _at_once(x, m, outputs)
    for part, into in zip(x.split(samples), y.split(samples), strict=True):
        read = _read(part, m, of_inputs)
        if reads is not None:
            reads.append(read)
        products = read @ filters
        made = (of_outputs.T @ products.view(len(products), -1)).view(m, m, len(part), rows, columns, outputs)
        made = made.permute(2, 3, 0, 4, 1, 5)
        if height % m == width % m == 0:
            into.view(made.shape).copy_(made)
        else:
            into.copy_(made.reshape(len(part), m * rows, m * columns, outputs)[:, :height, :width])
    return y.permute(0, 3, 1, 2)


def weight_gradient(x: Tensor, d: Tensor) -> Tensor:
    """Return the gradient ``(C', C, 3, 3)`` of filters, from inputs ``(B, C, H, W)`` and d ``(B, C', H, W)``."""
    m = tile(*x.shape[2:])
    of_inputs, _, _ = transforms(m, x.dtype, x.device)
    return _weight_gradient((_read(part, m, of_inputs) for part in x.split(_at_once(x, m, d.shape[1]))), d, m)


def _weight_gradient(reads: Iterable[Tensor], d: Tensor, m: int) -> Tensor:
    _, of_filters, of_outputs = transforms(m, d.dtype, d.device)
    tiles, outputs, begun = math.prod(_grid(m, *d.shape[2:])), d.shape[1], 0
    total: Tensor | int = 0
    for read in reads:
        samples = read.shape[1] // tiles
        made = (of_outputs @ _tiles(d[begun : begun + samples], m, 0)).view(len(read), -1, outputs)
        total, begun = total + read.mT @ made, begun + samples
    assert isinstance(total, Tensor)
    return (of_filters.T @ total.view(len(total), -1)).view(3, 3, -1, outputs).permute(3, 2, 0, 1)


def _read(x: Tensor, m: int, of_inputs: Tensor) -> Tensor:
    """Return transformed inputs ``(n^2, B * tiles, C)``."""
    return (of_inputs @ _tiles(x, m, 2)).view(len(of_inputs), -1, x.shape[1])


def _at_once(x: Tensor, m: int, outputs: int) -> int:
    """Return how many samples have transformed inputs and outputs of about ``_BYTES``."""
    _, channels, height, width = x.shape
    numbers = _multiplications(m, height, width) * max(channels, outputs)
    return max(1, _BYTES // (numbers * x.element_size()))


def tile(height: int, width: int) -> int:
    """Return the side m that covers a map with the fewest multiplications."""
    return min(_POINTS, key=lambda m: _multiplications(m, height, width))


def _grid(m: int, height: int, width: int) -> tuple[int, int]:
    """Return rows and columns of tiles that cover a map."""
    return -(-height // m), -(-width // m)


def _multiplications(m: int, height: int, width: int) -> int:
    """Of a pair of channels of a map."""
    return (m + 2) ** 2 * math.prod(_grid(m, height, width))


def _tiles(x: Tensor, m: int, overlap: int) -> Tensor:
    """Windows of m + overlap a side, m apart, of maps padded with zeros: ``((m + overlap)^2, B * tiles * C)``."""
    samples, channels, height, width = x.shape
    (rows, columns), side, before = _grid(m, height, width), m + overlap, overlap // 2
    right, below = m * columns + before - width, m * rows + before - height
    padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, before, right, before, below))
    s = padded.stride()
    windows = padded.as_strided(
        (side, side, samples, rows, columns, channels), (s[1], s[2], s[0], m * s[1], m * s[2], s[3])
    )
    return windows.reshape(side * side, -1)


@cache
def transforms(m: int, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """B^T, G and A for both sides at once, by Kronecker products: ``(n^2, n^2)``, ``(n^2, 9)``, ``(n^2, m^2)``."""
    points = torch.tensor(_POINTS[m], dtype=torch.float64)

    def values(coefficients: int) -> Tensor:
        infinity = torch.zeros(1, coefficients, dtype=torch.float64)
        infinity[0, -1] = 1
        return torch.cat([points[:, None] ** torch.arange(coefficients), infinity])

    inputs, filters, outputs = torch.linalg.inv(values(m + 2)).T, values(3), values(m)
    of_inputs, of_filters, of_outputs = (torch.kron(t, t).to(device, dtype) for t in (inputs, filters, outputs))
    return of_inputs, of_filters, of_outputs
