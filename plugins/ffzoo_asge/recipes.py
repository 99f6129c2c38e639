"""Adaptive spatial goodness encoding (ASGE; Gong, Staszewski and Xu 2025, arXiv:2509.12394).

For block l of L, with C_l channels and detached input x_l::

    h_l = ReLU(Conv_l(x_l))
    P_l = C_L / C_l                                     patches a side: early blocks have few channels and many patches
    g_l = sum of h_l^2 over each patch, C_l P_l^2 numbers
    z_l = R_l^T g_l + b_l                               R_l, b_l random and frozen
    L_l = CrossEntropy(z_l, y)
    u_l = norm(h_l), stop-gradient
    prediction: the blocks' scores, fused

Published, in the abstract: 99.65 % on MNIST, 93.41 % on Fashion-MNIST, 90.62 % on CIFAR-10, 65.42 % on CIFAR-100.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import Projection

ASGE = Recipe(
    terms=(
        Term(
            Projection(power=2, grid="pyramid", pool="sum", projection="random", bias="frozen", temperature=1.0),
            "cross_entropy",
        ),
    ),
    forward_norm="auto",
    fusion="best_range",
)
