"""Contrastive Forward-Forward (Aghagolzadeh and Ezoji 2025, Neural Networks 192, arXiv:2502.00571).

Two views x, x' of every sample; for block l with detached inputs::

    e_i = W_l^T mean over positions of h_l,i            a learned projection, 2 B embeddings, those of both views
    s_ij = cosine of e_i and e_j
    s_ij <- min(s_ij + m_l, 1)  where y_j = y_i, j != i   margin, from 0.4 in the first block to 0.1 in the last
    L_l = mean over i of the mean over j != i with y_j = y_i of
          -log(exp(s_ij / tau) / sum over k != i of exp(s_ik / tau)),  tau = 0.15
    u_l = LayerNorm(h_l), stop-gradient
    prediction: a linear softmax on the features, fitted when the blocks are done

Published: CIFAR-10 85.4 % with a vision transformer of 5 blocks, from a leaderboard's entry of the paper.

The control to read beside every figure of this rule is ``random_features``: the same probe on blocks that learned
nothing.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import ProjectionHead
from ffzoo_contrastive_ff.options import MarginSupCon, SecondView

CONTRASTIVE_FF = Recipe(
    terms=(Term(ProjectionHead(width=128), MarginSupCon()),),
    negatives=SecondView(shift=1, noise=0.3),
    forward_norm="auto",
    fusion="probe",
)
