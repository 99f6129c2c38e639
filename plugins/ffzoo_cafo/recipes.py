"""Cascaded forward with random blocks (Zhao et al. 2023, arXiv:2303.09728), as the authors' code runs it.

For block l, which stays as it was initialized::

    h_l = BatchNorm(block_l(h_(l-1)))
    z_l = h_l V_l                           all positions; V_l (d_l, K) learned, without a bias
    L_l = CrossEntropy(z_l, y)              trains V_l alone
    prediction: the sum over blocks of softmax(z_l)

Published: CIFAR-10 67.43 % with three convolutional blocks (a comment in the authors' code).
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import Projection, Sum

CAFO = Recipe(
    terms=(Term(Projection(power=1, grid="all", projection="learned", temperature=1.0), "cross_entropy"),),
    goodness_norm="batchnorm",
    forward_norm="batchnorm",
    train_blocks=False,
    fusion=Sum(of="softmax"),
)
