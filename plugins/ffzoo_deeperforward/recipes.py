"""DeeperForward (Sun et al., "DeeperForward: Enhanced Forward-Forward Training for Deeper and Better Performance", ICLR
2025).

The channels of a block are divided into one group a class. For block l with detached input x_l::

    h_l = ReLU(Conv_l(x_l))
    g_k = mean of h_l over the channels of group k and all positions       the goodness of class k, power 1
    L_l = CrossEntropy(g, y)
    u_l = GroupNorm(h_l), stop-gradient                                    after the goodness was read
    prediction: the sum over the range of blocks that is best on the validation part

Published, from the tables beside the code: 86.22 % on CIFAR-10, 53.09 % on CIFAR-100 (residual network of 17 layers).
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import GroupNorm, Projection

DEEPERFORWARD = Recipe(
    terms=(Term(Projection(power=1, grid=1, projection="groups", temperature=1.0), "cross_entropy"),),
    forward_norm=GroupNorm(),
    fusion="best_range",
)
