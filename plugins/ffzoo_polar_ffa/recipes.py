"""Polar-FFA (Terres-Escudero, Del Ser and Garcia-Bringas 2024, "On the Improvement of Generalization and Stability of
Forward-Only Learning via Neural Polarization", arXiv:2408.09210).

For block l with detached input, its units split in a positive and a negative half::

    g+_l = mean of h_l^2 over the positive units, g-_l over the negative ones
    G_l = g+_l - g-_l                                    goodness
    p(positive) = sigmoid(s G_l)
    L_l = mean of -log p(positive) of positive samples and -log (1 - p(positive)) of negative ones
    u_l = h_l / rms(h_l), stop-gradient                  what block l + 1 reads
    prediction: the label with the highest sum of G_l over the blocks

Each half is to be active for its own kind of sample: nothing has to fall silent, and there is no threshold to set. With
``goodness.by=ratio`` and ``loss.scale=1``, p = g+ / (g+ + g-).

Published: more accurate and faster to converge than Forward-Forward with several activations and goodness functions
(abstract); the figures could not be read.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import Logistic, Overlay
from ffzoo_polar_ffa.options import Polar

POLAR_FFA = Recipe(
    terms=(Term(Polar(by="difference"), Logistic(threshold=0.0, scale=8.0)),),
    label_embedding=Overlay(value=5.0),
    negatives="wrong_label",
    forward_norm="rms",
    fusion="sum",
)
