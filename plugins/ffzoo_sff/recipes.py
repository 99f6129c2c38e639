"""Scalable Forward-Forward (Krutsylo 2025, arXiv:2501.03176), a reconstruction.

For block l with detached input x_l::

    h_l  = block_l(x_l)                                     several layers may be in a block, with backprop inside
    a_l  = conv_l(h_l) + b_l                                auxiliary 1x1 convolution, one channel a class
    g_lk = mean over positions of a_lk^2                    goodness of class k
    L_l  = log(sum over k of exp(g_lk)) - g_ly              log-sum-exp margin: the cross-entropy of the goodness
    u_l  = LayerNorm(h_l), stop-gradient                    what block l + 1 reads
    prediction: the sum of the goodness over blocks

Published: CIFAR-10 81.38 % with a CNN, whose backprop has 78.49 % (third party).

The convolution, its mean squares, the layer norm, the isolation and the averaged vote of the blocks are told on the
author's summary page. The loss was read with a third party. Another summary calls it a margin loss; whether a constant
is added could not be read (``loss=npair_margin`` has one).
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import Sum
from ffzoo_sff.options import ClassEnergy

SFF = Recipe(
    terms=(Term(ClassEnergy(), "cross_entropy"),),
    forward_norm="auto",
    fusion=Sum(of="score"),
)
