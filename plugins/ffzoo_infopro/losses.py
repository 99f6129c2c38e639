"""The two sides of InfoPro's balance, and how it shifts with depth."""

from __future__ import annotations

from torch import Tensor

from ffzoo.errors import RecipeError
from ffzoo.parts.base import Build, Context, LocalLoss
from ffzoo.parts.losses import CrossEntropy
from ffzoo_infopro import options


def weight(config: options.ByDepth, build: Build, end: float) -> float:
    """On a line from ``first`` in the first block to ``last`` in the last but one; ``end`` in the last."""
    if build.block == build.depth - 1:
        return end
    way = build.block / max(1, build.depth - 2)
    return (1 - way) * config.first + way * config.last


class Reconstruction(LocalLoss):
    """lambda_1 times the mean of (x^ - x)^2; the options are :class:`ffzoo_infopro.options.Reconstruction`."""

    accepts = ("reconstruction",)
    requires = ("input",)

    def __init__(self, config: options.Reconstruction, build: Build) -> None:
        super().__init__(config, build)
        self.weight = weight(config, build, 0.0)

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """The mean over batch and inputs.

        Raises:
            RecipeError: the reconstruction is not shaped like the input.
        """
        (rebuilt,), x = scores, ctx.x
        assert x is not None
        if rebuilt.shape != x.shape:
            raise RecipeError(
                f"the reconstruction has shape {tuple(rebuilt.shape[1:])} and the input {tuple(x.shape[1:])}; expected "
                "a label embedding that leaves the input's shape as it is, such as none"
            )
        return self.weight * (rebuilt - x.to(rebuilt.dtype)).square().mean()


class DepthCrossEntropy(CrossEntropy):
    """lambda_2 times the cross-entropy; the options are :class:`ffzoo_infopro.options.DepthCrossEntropy`."""

    closed_form = False

    def __init__(self, config: options.DepthCrossEntropy, build: Build) -> None:
        super().__init__(None, build)
        self.weight = weight(config, build, 1.0)

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """The weighted cross-entropy of the positive view."""
        return self.weight * super().forward(scores, ctx)
