"""The logistic loss of the network's goodness, of which a block can change its own share alone.

gamma_l = sum over j != l of G_j, stop-gradient
L_l     = mean of softplus(-+ s (G_l + gamma_l - L theta)) over positive and negative samples
"""

from __future__ import annotations

from torch import Tensor

from ffzoo.parts.base import Build, Context
from ffzoo.parts.losses import Logistic
from ffzoo.parts.options import Logistic as LogisticOptions
from ffzoo_layer_collaboration import options


class Collaborative(Logistic):
    """See the module's text; the options are :class:`ffzoo_layer_collaboration.options.Collaborative`.

    The other blocks' goodness is that of the weights before the step.
    """

    requires = ("others",)
    coupling = "values"

    def __init__(self, config: options.Collaborative, build: Build) -> None:
        super().__init__(LogisticOptions(config.threshold * build.depth, config.scale), build)

    def forward(self, scores: tuple[Tensor, ...], ctx: Context) -> Tensor:
        """Of each view's goodness G_l ``(B,)``, with gamma_l from the context."""
        return super().forward(tuple(g + gamma for g, gamma in zip(scores, ctx.others, strict=True)), ctx)
