"""AugLocal (Ma et al. 2024, ICLR 2024, arXiv:2402.17318).

For block l with detached input x_l::

    h_l = block_l(x_l)
    z_l = aux_l(h_l)                 layers shaped like later blocks, sampled evenly, then a linear classifier; learned
    L_l = CrossEntropy(z_l, y)
    prediction: z_L, the linear classifier of the last block; all other auxiliary networks are thrown away

The nearer to the end, the fewer layers: see :mod:`ffzoo_auglocal.goodness`. The sampling and the pyramid are those of
the authors' code, a layer is not: theirs is one of the network's own residual blocks, with batch norm; ours is a 3x3
convolution with a norm over the sample.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo_auglocal.options import SampledBlocks

AUGLOCAL = Recipe(terms=(Term(SampledBlocks(), "cross_entropy"),), forward_norm="auto", fusion="last")
