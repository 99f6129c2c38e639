"""Layer collaboration in Forward-Forward (Lorberbom et al. 2023, AAAI 2024, arXiv:2305.12393).

Supervised Forward-Forward, except that block l sees what all other blocks think of a sample::

    G_l     = mean of h_l^2                              goodness
    gamma_l = sum over j != l of G_j, stop-gradient      from a pass before the step, positive and negative alike
    p_l(positive) = sigmoid(s (G_l + gamma_l - theta))   theta = 2 for each of the network's blocks, s = 8
    L_l     = mean of -log p_l(positive) over positive samples and of -log(1 - p_l(positive)) over negative ones
    u_l     = h_l / rms(h_l), stop-gradient
    prediction: the label whose goodness, summed over all blocks, is highest

The paper's goodness is the sum of squares. Its simultaneous form is this one; in another only earlier blocks count
in gamma_l.

Published, MLP: MNIST 97.9 %, Fashion-MNIST 88.0 %, CIFAR-10 47.3 %, each 1 to 2 points above the authors' own FF (third
party).
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import Overlay
from ffzoo_layer_collaboration.options import Collaborative

LAYER_COLLABORATION = Recipe(
    terms=(Term("mean_squares", Collaborative(threshold=2.0, scale=8.0)),),
    label_embedding=Overlay(value=5.0),
    negatives="wrong_label",
    forward_norm="rms",
    fusion="sum",
)
