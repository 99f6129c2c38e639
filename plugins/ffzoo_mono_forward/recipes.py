"""Mono-Forward (Gong et al. 2025, "Mono-Forward: Backpropagation-Free Algorithm for Efficient Neural Network Training
Harnessing Local Errors", arXiv:2501.09238).

For block l with detached input x_l::

    a_l = ReLU(W_l x_l), all of it, flattened
    G_l = a_l M_l^T                                     M_l learned, K x D
    L_l = CrossEntropy(G_l, y)
    u_l = a_l, stop-gradient                            no normalization
    prediction: the class with the largest sum of G_l over blocks

Published, on a leaderboard: 93.98 % on Fashion-MNIST, 63.28 % on CIFAR-100.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import Projection, Sum

MONO_FORWARD = Recipe(
    terms=(Term(Projection(power=1, grid="all", projection="learned", temperature=1.0), "cross_entropy"),),
    forward_norm="none",
    fusion=Sum(of="score"),
)
