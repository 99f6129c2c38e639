"""Scalable Forward-Forward (Krutsylo 2025, arXiv:2501.03176), a reconstruction.

For block l with detached input x_l::

    h_l  = block_l(x_l)                                     several layers may be in a block, with backprop inside
    a_l  = conv_l(h_l) + b_l                                auxiliary 1x1 convolution, one channel a class
    g_lk = mean over positions of a_lk^2                    goodness of class k
    L_l  = log(1 + sum over k != y of exp(m + g_lk - g_ly)) log-sum-exp margin loss
    u_l  = LayerNorm(h_l), stop-gradient                    what block l + 1 reads
    prediction: the sum of the goodness over blocks

Published: CIFAR-10 81.38 % with a CNN, whose backprop has 78.49 % (third party).

The convolution, its mean squares, the layer norm, the isolation and the averaged vote of the blocks are told on the
author's summary page. The loss was read with a third party, as log sum_k exp(g_lk) - g_ly: that is the loss above at
m = 0, our default. Summaries call it a margin loss; what margin, if any, could not be read.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import NPairMargin, Sum
from ffzoo_sff.options import ClassEnergy

SFF = Recipe(
    terms=(Term(ClassEnergy(), NPairMargin(margin=0.0)),),
    forward_norm="auto",
    fusion=Sum(of="score"),
)
