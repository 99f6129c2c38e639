"""Greedy InfoMax (Löwe, O'Connor and Veeling, NeurIPS 2019, "Putting An End to End-to-End", arXiv:1905.11786).

No labels. Every block is trained so that its map at one row foretells the map some rows further down, among other
samples' maps; for block l with detached input, pooled to patches a::

    f_k(i, j) = exp(a_j[r + k + s, c] . W_k a_i[r, c])           log-bilinear, one learned matrix a step k; s = 1
    L_l = - mean over k, positions and samples i of log(f_k(i, i) / sum over samples j of f_k(i, j))
    u_l = LayerNorm(h_l), stop-gradient
    prediction: a linear softmax on the features, fitted when the blocks are done

Published: STL-10 81.9 %, with a linear classifier on features that were learned from unlabelled images (from
memory).

The control to read beside every figure of this rule is ``random_features``: the same probe on blocks that learned
nothing.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo_greedy_infomax.options import InfoNCE

GREEDY_INFOMAX = Recipe(terms=(Term(InfoNCE(), "negative_mean"),), forward_norm="auto", fusion="probe")
