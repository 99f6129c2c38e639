"""The Trifecta (Dooms, Tsang and Oramas 2023, "The Trifecta: Three simple techniques for training deeper
Forward-Forward networks", arXiv:2311.18130).

For every sample a positive view with its label y and a negative one with a wrong label::

    x+ = [x, E_y],  x- = [x, E_k]                         E: a learned channel a class
    G_l = mean of h_l^2
    L_l = mean of softplus(-alpha (G_l(x+) - G_l(x-)))    alpha = 4, of SymBa
    u_l = batch norm of h_l                               what block l + 1 reads
    in odd steps  blocks (1, 2), (3, 4), ... learn, in even ones (1), (2, 3), (4, 5), ...
        a pair from the loss of its second block, whose gradient reaches the first; a last block alone rests
    prediction: the label k whose channel gives [x, E_k] the highest G of the last block

The three techniques are the loss, the batch norm, which keeps more of a block's features than a norm of the sample,
and the overlap: a block learns what the next one can use, and still no gradient goes further back than that.

Published: MNIST 99.58 %, Fashion-MNIST 91.44 %, SVHN 94.31 % (quoted from memory), CIFAR-10 about 84 % (abstract).
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import ClassPattern, SymmetricSoftplus

TRIFECTA = Recipe(
    terms=(Term("mean_squares", SymmetricSoftplus(alpha=4.0)),),
    label_embedding=ClassPattern(place="channel", scale=0.5, learned=True),
    negatives="wrong_label",
    forward_norm="batchnorm",
    isolation="overlap",
    fusion="last",
)
