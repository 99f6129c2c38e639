"""Fusions: per-block scores or features -> prediction ``(B, K)``."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ffzoo.errors import NotFittedError, RecipeError
from ffzoo.parts import options
from ffzoo.parts.base import Fusion, FusionBuild
from ffzoo.parts.projection import pool_grid


def _check_first(first: int, blocks: int, name: str) -> None:
    if first >= blocks:
        raise RecipeError(
            f"fusion={name} starts at block index {first} of the {blocks} that it can read; "
            f"expected fusion.first at most {blocks - 1}"
        )


class Sum(Fusion):
    """The sum over blocks of log softmax(z_l) (or what ``of`` says) for class scores, of the goodness otherwise."""

    def __init__(self, config: options.Sum, build: FusionBuild) -> None:
        super().__init__(config, build)
        _check_first(config.first, build.scored, "sum")
        self.first = config.first
        self.of = config.of if build.kind == "class" else "score"

    def forward(self, blocks: Sequence[Tensor]) -> Tensor:
        """Return ``(B, K)``."""
        chosen = blocks[self.first :]
        if self.of != "score":
            chosen = [z.log_softmax(1) if self.of == "log_softmax" else z.softmax(1) for z in chosen]
        return torch.stack(tuple(chosen)).sum(0)


class Last(Fusion):
    """The last block's scores."""

    def forward(self, blocks: Sequence[Tensor]) -> Tensor:
        """Return ``(B, K)``."""
        return blocks[-1]


class BestRange(Fusion):
    """The sum over the range of blocks that scores best on the validation set.

    DeeperForward (ICLR 2025) calls it SIP. Before calibration the range is all blocks.

    Attributes:
        range: first and last block of the range, a buffer ``(2,)``.
    """

    calibrates = True
    range: Tensor

    def __init__(self, config: None, build: FusionBuild) -> None:
        super().__init__(config, build)
        self.kind = build.kind
        self.register_buffer("range", torch.tensor([0, build.scored - 1]))

    def _sums(self, blocks: Sequence[Tensor]) -> Tensor:
        """Cumulative sums ``(L + 1, B, K)``: a range is a difference of two."""
        scores = torch.stack([z.log_softmax(1) if self.kind == "class" else z for z in blocks])
        return F.pad(scores.cumsum(0), (0, 0, 0, 0, 1, 0))

    def forward(self, blocks: Sequence[Tensor]) -> Tensor:
        """Return ``(B, K)``."""
        # By index, for an export must not read numbers out of a buffer.
        before, upto = self._sums(blocks).index_select(0, self.range + self.range.new_tensor([0, 1]))
        return upto - before

    def calibrate(self, scores: Sequence[Tensor], y: Tensor) -> None:
        """Choose the range; of equal ones the shortest that ends last."""
        sums = self._sums(scores)
        depth = len(scores)
        best = max(
            ((start, end) for start in range(depth) for end in range(start, depth)),
            key=lambda r: (
                int(((sums[r[1] + 1] - sums[r[0]]).argmax(1) == y).sum()),
                r[0] - r[1],
                r[1],
            ),
        )
        self.range.copy_(torch.tensor(best))


class Weights(Fusion):
    """A convex combination of the blocks' log softmax(z_l) (or goodness), weights learned on the validation set.

    The weights are softmax(v), and v minimizes the cross-entropy of the combination by L-BFGS, from equal weights;
    before calibration they are equal.

    Attributes:
        weight: of each block, a buffer ``(L,)``.
    """

    calibrates = True
    weight: Tensor

    def __init__(self, config: None, build: FusionBuild) -> None:
        super().__init__(config, build)
        self.kind = build.kind
        self.register_buffer("weight", torch.full((build.scored,), 1 / build.scored))

    def _stacked(self, blocks: Sequence[Tensor]) -> Tensor:
        """Return what is combined, ``(L, B, K)``."""
        return torch.stack([z.log_softmax(1) if self.kind == "class" else z for z in blocks])

    def forward(self, blocks: Sequence[Tensor]) -> Tensor:
        """Return ``(B, K)``."""
        return torch.einsum("l,lbk->bk", self.weight, self._stacked(blocks))

    def calibrate(self, scores: Sequence[Tensor], y: Tensor) -> None:
        """Fit v from zero."""
        stacked = self._stacked(scores)
        v = stacked.new_zeros(len(stacked), requires_grad=True)

        def loss() -> Tensor:
            return F.cross_entropy(torch.einsum("l,lbk->bk", v.softmax(0), stacked), y)

        minimize(loss, [v])
        self.weight.copy_(v.detach().softmax(0))


class ConcatLinear(Fusion):
    """softmax(W concat(f_l) + b), f_l = layer norm of the pooled features; trained as blocks are."""

    reads = "features"

    def __init__(self, config: options.ConcatLinear, build: FusionBuild) -> None:
        super().__init__(config, build)
        _check_first(config.first, len(build.shapes), "concat_linear")
        self.first, self.grid, self.lr = config.first, config.grid, config.lr
        self.linear = nn.Linear(_width(build.shapes[config.first :], config.grid), build.num_classes)

    def feature(self, block: int, h: Tensor) -> Tensor | None:
        """f_l ``(B, d_l)``."""
        if block < self.first:
            return None
        pooled = pool_grid(h, self.grid)
        return F.layer_norm(pooled, pooled.shape[1:])

    def forward(self, blocks: Sequence[Tensor]) -> Tensor:
        """Return ``(B, K)``."""
        return self.linear(torch.cat(tuple(blocks), 1))

    def loss(self, blocks: Sequence[Tensor], y: Tensor) -> Tensor:
        """Cross-entropy of the prediction."""
        return F.cross_entropy(self(blocks), y)


class Probe(Fusion):
    """softmax(W concat(f_l) + b) fitted after training, f_l = pooled features, each less its mean, over its deviation.

    The usual linear probe of features that were learned without labels, or not at all. Fitted by L-BFGS to
    mean cross-entropy + l2 ||W||^2; until then it refuses to predict.

    Attributes:
        weight: W ``(K, d)``, a buffer.
        bias: b ``(K,)``, a buffer.
        mean: of each feature over the training set ``(d,)``.
        scale: one over its standard deviation ``(d,)``.
    """

    reads = "features"
    fits = True
    weight: Tensor
    bias: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, config: options.Probe, build: FusionBuild) -> None:
        super().__init__(config, build)
        _check_first(config.first, len(build.shapes), "probe")
        self.first, self.grid, self.l2 = config.first, config.grid, config.l2
        width = _width(build.shapes[config.first :], config.grid)
        self.register_buffer("weight", torch.zeros(build.num_classes, width))
        self.register_buffer("bias", torch.zeros(build.num_classes))
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))

    def feature(self, block: int, h: Tensor) -> Tensor | None:
        """Return the pooled features of a block ``(B, d_l)``."""
        return None if block < self.first else pool_grid(h, self.grid)

    @property
    def fitted(self) -> bool:
        """Whether a buffer differs from its initial value; a fit that changes none would predict as evenly."""
        return bool(self.weight.any() | self.bias.any() | (self.scale != 1).any())

    def forward(self, blocks: Sequence[Tensor]) -> Tensor:
        """Return ``(B, K)``.

        Raises:
            NotFittedError: :meth:`fit` has not run.
        """
        if not torch.compiler.is_compiling() and not self.fitted:
            raise NotFittedError(
                "the probe predicts nothing before it is fitted; call algorithm.finish(train, validation) after the "
                "last step, or let algorithm.fit(batches, epochs=...) train from start to finish"
            )
        f = torch.cat(tuple(blocks), 1)
        return F.linear((f - self.mean) * self.scale, self.weight, self.bias)

    def fit(self, blocks: Sequence[Tensor], y: Tensor) -> None:
        """Standardize on the training set, then fit W and b from zero."""
        fitted = linear_probe(torch.cat(tuple(blocks), 1), y, len(self.bias), self.l2)
        for buffer, value in zip((self.mean, self.scale, self.weight, self.bias), fitted, strict=True):
            buffer.copy_(value)


def linear_probe(f: Tensor, y: Tensor, num_classes: int, l2: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Multinomial logistic regression on standardized features, from zero.

    Args:
        f: features ``(N, d)``.
        y: labels ``(N,)``.
        num_classes: K.
        l2: factor of ||W||^2.

    Returns:
        Mean ``(d,)`` and one over the standard deviation ``(d,)``, W ``(K, d)`` and b ``(K,)``.
    """
    deviation, mean = torch.std_mean(f, 0, correction=0)
    scale = torch.where(deviation > 1e-6, 1 / deviation, 0.0)  # a unit that never fires tells nothing
    f = (f - mean) * scale
    weight = f.new_zeros(num_classes, f.shape[1], requires_grad=True)
    bias = f.new_zeros(num_classes, requires_grad=True)
    minimize(lambda: F.cross_entropy(F.linear(f, weight, bias), y) + l2 * weight.square().sum(), [weight, bias])
    return mean, scale, weight.detach(), bias.detach()


def _width(shapes: Sequence[tuple[int, ...]], grid: int) -> int:
    """Return numbers that pooling on a grid leaves of all blocks' features."""
    return sum(shape[0] * (min(grid, *shape[1:]) ** 2 if len(shape) == 3 else 1) for shape in shapes)


def minimize(loss: Callable[[], Tensor], parameters: list[Tensor]) -> None:
    """Minimize a smooth loss over a few parameters by L-BFGS, in place."""
    optimizer = torch.optim.LBFGS(parameters, max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        with torch.enable_grad():
            value = loss()
            value.backward()
        return value.detach()

    optimizer.step(closure)  # type: ignore[no-untyped-call, unused-ignore]
