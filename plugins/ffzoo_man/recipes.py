"""Momentum auxiliary networks (Su et al. 2024, ECCV 2024, arXiv:2407.05623).

For block l with detached input x_l, and theta the weights of the first layer of block l + 1::

    h_l   = block_l(x_l)
    a_l   = layer(u_l; gamma_l) + layer(u_l; beta_l)       u_l is what block l + 1 reads; layer ends with a ReLU
    z_l   = W_l^T pool(a_l) + b_l                          for the last block W^T pool(h_L) + b
    L_l   = CrossEntropy(z_l, y)                           trains block l, beta_l, W_l and b_l
    gamma_l <- m gamma_l + (1 - m) theta                   once a step, m = 0.995, theta as it was before the step
    prediction: z_L, the linear classifier of the last block

No gradient crosses a block, but weights do: what block l + 1 has learned changes what block l learns next. So the rule
is local for the structural check, is seen by the black box, and declares a coupling.

Published, on top of DGL, ResNet-32 in 16 blocks: CIFAR-10 90.89 %, the authors' DGL 85.92 % and backprop 93.63 % (from
memory). Written after the authors' code.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo_man.options import MomentumLayer

MAN = Recipe(terms=(Term(MomentumLayer(), "cross_entropy"),), forward_norm="auto", fusion="last")
