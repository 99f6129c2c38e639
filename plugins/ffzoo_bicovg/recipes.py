"""BiCovG (Jiang, Al-Hashimi and Xu 2026, arXiv:2605.04346), a reconstruction from the abstract.

For block l with detached input x_l::

    h_l = block_l(x_l)
    a_l = [energies of h_l, energies of mixtures of its channels, energies of its means over nested windows]
    z_l = W_l^T a_l + b_l
    L_l = CrossEntropy(z_l, y)
    u_l = LayerNorm(h_l), stop-gradient                 what block l + 1 reads
    prediction: sum over blocks of w_l log softmax(z_l), w_l >= 0 and of sum 1, learned: "logistic fusion"

Published: ImageNet-100 73.01 %, Tiny-ImageNet 50.30 %, with a VGG-16 (abstract).

The abstract names cross-channel projections, nested multi-scale aggregation, a logistic fusion that amplifies deeper
blocks, and a feature alignment layer, a correction at block boundaries that starts from zero. The formulas are ours;
see :mod:`ffzoo_bicovg.goodness`. The alignment layer is not here, nor are the blocks that share a gradient.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo_bicovg.options import BiCovG

BICOVG = Recipe(terms=(Term(BiCovG(), "cross_entropy"),), forward_norm="auto", fusion="weights")
