"""LLS (Apolinario, Roy and Roy, WACV 2025, "LLS: Local Learning Rule for Deep Neural Networks Inspired by Neural
Activity Synchronization", arXiv:2405.15868).

For block l with detached input x_l::

    a_l = pool(h_l) / ||pool(h_l)||                     average on a grid of windows
    W_jk = sign(sin(f_k j))                             f_k evenly from 50 to 512: a square wave a class, fixed
    z_l = W^T a_l / T                                   LLS
    z_k = m_k (W^T a_l)_k / T                           LLS-M, m learned
    z_l = M^T W^T a_l / T                               LLS-MxM, M learned
    z_l = R^T pool(h_l) / T                             LLS-Random, R frozen, nothing divided by a norm
    L_l = CrossEntropy(z_l, y)
    prediction: the last block's scores

m and M start from N(0, 0.01^2) and T is 0.5 for LLS, as in the authors' code.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import Projection

LLS = Recipe(
    terms=(Term(Projection(power=1, grid=4, l2="pooled", projection="waves", temperature=0.5), "cross_entropy"),),
    forward_norm="auto",
    fusion="last",
)
LLS_M = LLS.set({"goodness.mix": "scale", "goodness.temperature": 0.1})
LLS_MXM = LLS.set({"goodness.mix": "matrix", "goodness.temperature": 0.1})
LLS_RANDOM = LLS.set({"goodness.projection": "random", "goodness.l2": "none", "goodness.temperature": 1.0})
