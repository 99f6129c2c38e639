"""The class goodness that most one-pass rules are instances of.

    a = pool_grid(h ** power)                 (B, d)
    z = reduce((a P + b) / T)                 (B, K)
    T = T_min + (T_max - T_min) * sigmoid(alpha), or a constant

With cross-entropy the gradient has a closed form (m = 1 prototype, no L2)::

    dL/da = P (softmax(z) - e_y) / (T B),  dL/dh = power h^(power-1) * pool_grid^T(dL/da)

DTG-FF is power 1 or 2, frozen random P ~ N(0, 1/d), learned T (arXiv:2606.06539); ASGE a frozen
random P on patch energies (arXiv:2509.12394); Mono-Forward a learned P (arXiv:2501.09238);
DeeperForward and CwComp channel groups (ICLR 2025; arXiv:2312.12668).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ffzoo.errors import RecipeError
from ffzoo.parts import options
from ffzoo.parts.base import Build, Context, Goodness


def pool_grid(h: Tensor, grid: int | str, mode: str = "mean") -> Tensor:
    """Pool ``(B, C, H, W)`` on a grid of windows to ``(B, C * g * g)``; ``(B, D)`` passes unchanged.

    Windows are those of adaptive average pooling; ``grid`` is clipped to ``min(H, W)``, and
    ``"all"`` keeps every position.
    """
    if h.dim() == 2 or grid == "all":
        return h.flatten(1)
    size = min(int(grid), h.shape[-2], h.shape[-1])
    if size == 1:  # the plain mean is several times as fast on the CPU
        pooled = h.mean((-2, -1), keepdim=True)
    elif h.shape[-1] % size == 0 and h.shape[-2] % size == 0:
        pooled = F.avg_pool2d(h, (h.shape[-2] // size, h.shape[-1] // size))
    else:
        pooled = F.adaptive_avg_pool2d(h, size)
    if mode == "sum":
        ones = h.new_ones(1, 1, *h.shape[-2:])
        # Adaptive windows differ in size: count the positions of each.
        rows = [math.ceil((i + 1) * ones.shape[-2] / size) - i * ones.shape[-2] // size for i in range(size)]
        cols = [math.ceil((i + 1) * ones.shape[-1] / size) - i * ones.shape[-1] // size for i in range(size)]
        pooled = pooled * torch.outer(h.new_tensor(rows), h.new_tensor(cols))
    return pooled.flatten(1)


def group_matrix(shape: tuple[int, ...], positions: int, num_classes: int) -> Tensor:
    """P ``(C * positions, K)`` of the class groups: column k averages the channels of group k.

    Group sizes differ by at most one channel.

    Raises:
        RecipeError: fewer channels than classes.
    """
    channels = shape[0]
    if channels < num_classes:
        raise RecipeError(
            f"class groups need a channel a class: a block has {channels} channels for {num_classes} "
            "classes; expected a wider backbone (backbone.width) or projection=random"
        )
    group = torch.arange(channels) * num_classes // channels
    onehot = F.one_hot(group, num_classes).double()
    matrix = onehot / onehot.sum(0) / positions
    return rearrange(matrix[:, None].expand(-1, positions, -1), "c p k -> (c p) k").float()


class Projection(Goodness):
    """See the module's text; the options are :class:`ffzoo.parts.options.Projection`.

    Attributes:
        projection: P ``(d, K * m)``, a parameter when learned, else a buffer.
        alpha: the learned temperature's scalar, 0 at the start: the middle of its range.
    """

    kind = "class"
    projection: Tensor
    bias: Tensor

    def __init__(self, config: options.Projection, build: Build) -> None:
        super().__init__(config, build)
        self.config, self.num_classes = config, build.num_classes
        positions = 1
        if len(build.shape) == 3:
            height, width = build.shape[1:]
            positions = height * width if config.grid == "all" else min(config.grid, height, width) ** 2
        d, k = build.shape[0] * positions, build.num_classes * config.prototypes
        matrix = torch.randn(d, k, generator=build.generator) / math.sqrt(d)
        if config.projection == "orthogonal":
            # Orthonormal columns (rows, when d < K), scaled to the random matrix's mean square 1/d.
            basis = torch.linalg.qr(matrix if d >= k else matrix.T)[0]
            matrix = basis if d >= k else basis.T * math.sqrt(k / d)
        elif config.projection == "groups":
            matrix = group_matrix(build.shape, positions, build.num_classes)
        bias = torch.zeros(k) if config.bias == "learned" else torch.randn(k, generator=build.generator)
        self._own("projection", matrix, learned=config.projection == "learned")
        if config.bias != "none":
            self._own("bias", bias, learned=config.bias == "learned")
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

    def pooled(self, h: Tensor) -> Tensor:
        """A ``(B, d)`` of features ``h`` ``(B, C, H, W)`` or ``(B, D)``."""
        if self.config.l2 == "position":
            h = F.normalize(h, dim=1)
        if self.config.power == 2:
            h = h.square()
        a = pool_grid(h, self.config.grid, self.config.pool)
        return F.normalize(a, dim=1) if self.config.l2 == "pooled" else a

    def forward(self, h: Tensor, ctx: Context | None = None) -> Tensor:
        """Class scores z ``(B, K)``."""
        z = self.pooled(h) @ self.projection
        if self.config.bias != "none":
            z = z + self.bias
        z = z / self.temperature()
        if self.config.clamp:
            z = z.clamp(-self.config.clamp, self.config.clamp)
        if self.config.prototypes > 1:
            z = rearrange(z, "b (k m) -> b k m", k=self.num_classes).logsumexp(-1)
        return z

    def closed_form(self, h: Tensor, y: Tensor) -> dict[str, Tensor]:
        """Gradients of the mean cross-entropy without autograd.

        Args:
            h: features ``(B, C, H, W)`` or ``(B, D)``.
            y: labels ``(B,)``.

        Returns:
            ``"h"`` (shaped like h) and, of what is learned, ``"projection"``, ``"bias"``, ``"alpha"``.

        Raises:
            RecipeError: with several prototypes or L2 the closed form does not hold.
        """
        c = self.config
        if c.prototypes > 1 or c.l2 != "none":
            raise RecipeError("the closed form needs prototypes = 1 and l2 = none")
        with torch.no_grad():
            a = self.pooled(h)
            raw = a @ self.projection + (self.bias if c.bias != "none" else 0.0)
            t = self.temperature()
            z = raw / t
            if c.clamp:
                z = z.clamp(-c.clamp, c.clamp)
            dz = (z.softmax(1) - F.one_hot(y, self.num_classes).to(z.dtype)) / len(h)
            if c.clamp:
                dz = dz * ((raw / t).abs() <= c.clamp)
            gradients = {"h": self._unpool(dz @ self.projection.T / t, h)}
            if c.power == 2:
                gradients["h"] = 2 * h * gradients["h"]
            if c.projection == "learned":
                gradients["projection"] = a.T @ dz / t
            if c.bias == "learned":
                gradients["bias"] = dz.sum(0) / t
            if c.temperature == "learned":
                slope = (c.t_max - c.t_min) * self.alpha.sigmoid() * (-self.alpha).sigmoid()
                gradients["alpha"] = -(dz * raw).sum() * slope / t**2
        return gradients

    def _unpool(self, da: Tensor, h: Tensor) -> Tensor:
        """The adjoint of the pooling."""
        if h.dim() == 2 or self.config.grid == "all":
            return da.view_as(h)
        size = min(int(self.config.grid), *h.shape[-2:])
        da = da.view(len(h), h.shape[1], size, size)
        out = torch.zeros_like(h)
        height, width = h.shape[-2:]
        for i in range(size):
            for j in range(size):
                rows = slice(i * height // size, math.ceil((i + 1) * height / size))
                cols = slice(j * width // size, math.ceil((j + 1) * width / size))
                window = out[..., rows, cols]
                count = window.shape[-1] * window.shape[-2] if self.config.pool == "mean" else 1
                window += da[..., i, j, None, None] / count
        return out
