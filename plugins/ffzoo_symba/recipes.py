"""SymBa (Lee and Song 2023, "SymBa: Symmetric Backpropagation-Free Contrastive Learning with Forward-Forward
Algorithm for Optimizing Convergence", arXiv:2303.08418).

For block l with detached input, and a positive and a negative view of every sample::

    x+ = x + P_y,  x- = x + P_k                           P: a fixed random pattern a class; k a wrong label
    G_l = mean of h_l^2
    L_l = mean of softplus(-alpha (G_l(x+) - G_l(x-)))    alpha = 4
    u_l = h_l / rms(h_l), stop-gradient                   what block l + 1 reads
    prediction: the label k whose pattern gives x + P_k the highest sum of G_l over the blocks

Forward-Forward pushes G+ above a threshold and G- below it, each with a gradient of its own; here the two gradients
are equal and opposite at every pair, and nothing but the difference counts. The pattern lies over all of the input, so
that a block can find the label anywhere.

Published: MNIST 98.58 %, CIFAR-10 59.09 %, CIFAR-100 29.28 %, quoted from memory.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import ClassPattern, SymmetricSoftplus

SYMBA = Recipe(
    terms=(Term("mean_squares", SymmetricSoftplus(alpha=4.0)),),
    label_embedding=ClassPattern(place="add"),
    negatives="wrong_label",
    forward_norm="rms",
    fusion="sum",
)
