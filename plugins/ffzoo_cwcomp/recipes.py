"""CwComp (Papachristodoulou et al., AAAI 2024, "Convolutional Channel-wise Competitive Learning for the Forward-Forward
Algorithm", arXiv:2312.12668).

The channels of a block are divided into one group a class. For block l with detached input x_l::

    u_l = BatchNorm(h_l)                                                  what block l + 1 reads too, detached
    g_k = mean of u_l^2 over the channels of group k and all positions
    L_CwC = -log(exp(g_y) / sum_k exp(g_k)), g clamped to +-50            cwcomp
    L_PvN = (softplus(theta - g_y) + softplus(mean_(k != y) g_k - theta)) / 2    cwcomp_pvn, theta = 2
    L_CWG = 0.28 L_CwC + 0.72 L_PvN                                       cwcomp_cwg
    block l trains from the start to 0.44 + 0.56 l / (L - 1) of the epochs
    prediction: the last block's scores

Published, beside the code: 99.42 % on MNIST, 92.31 % on Fashion-MNIST, 78.11 % on CIFAR-10, 51.23 % on CIFAR-100.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import Projection, Windows
from ffzoo_cwcomp.options import PositiveAgainstNegatives

_ENERGY = Projection(power=2, grid=1, projection="groups", temperature=1.0, clamp=50.0)

CWCOMP = Recipe(
    terms=(Term(_ENERGY, "cross_entropy"),),
    goodness_norm="batchnorm",
    forward_norm="batchnorm",
    schedule=Windows(first=0.44),
    fusion="last",
)
CWCOMP_PVN = CWCOMP.replace(terms=(Term(_ENERGY, PositiveAgainstNegatives()),))
CWCOMP_CWG = CWCOMP.replace(
    terms=(Term(_ENERGY, "cross_entropy", weight=0.28), Term(_ENERGY, PositiveAgainstNegatives(), weight=0.72))
)
