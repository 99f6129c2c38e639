"""Distance-Forward (Wu et al. 2024, arXiv:2408.14925), a reconstruction from the abstract and a summary page.

For block l with its input x_l::

    h_l  = block_l(x_l)
    g_lk = -||pool(h_l) - c_lk||^2                          goodness of class k: nearness to its centroid c_lk
    L_l  = log(1 + sum over k != y of exp(m + g_lk - g_ly)) N-pair margin loss
    DF-O: blocks learn in overlapping pairs. In one step the gradient stops behind blocks 2, 4, ..., in the next behind
    blocks 1, 3, ...; each pair learns from the loss of its second block. A first block that is left over learns from
    its own, a last one waits for the next step.
    u_l  = LayerNorm(h_l)                                   what block l + 1 reads
    prediction: the nearest centroid; the distances of all blocks are added

Published: MNIST 99.7 %, CIFAR-10 88.2 %, CIFAR-100 59 %, SVHN 95.9 %, Imagenette 82.5 % (abstract).

The abstract names centroid-based metric learning, a "goodness-based N-pair margin loss" and layer-collaboration local
updates; a summary page names DF-O, whose blocks overlap, and DF-R. The formulas are ours: squared distances, centroids
that are learned with their block, the margin inside the exponent, and how the blocks overlap. DF-R is not here.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import NPairMargin, Sum
from ffzoo_distance_forward.options import Centroids

DISTANCE_FORWARD = Recipe(
    terms=(Term(Centroids(), NPairMargin(margin=1.0)),),
    forward_norm="auto",
    isolation="overlap",
    fusion=Sum(of="score"),
)
