"""Polar-FFA (Terres-Escudero, Del Ser and Garcia-Bringas 2024, "On the Improvement of Generalization and Stability of
Forward-Only Learning via Neural Polarization", arXiv:2408.09210).

Half of a block's units speak for positive samples, the others for negative ones. For block l with detached input x_l::

    g+ = mean of h_l^2 over the first half of the units, g- over the others
    p(positive) = sigmoid(s (g+ - g-))                  s = 8; by=ratio: g+ / (g+ + g-), to the power s
    L_l = mean of -log p(x+) and -log(1 - p(x-))
    u_l = h_l / rms(h_l), stop-gradient
    prediction: the label with the largest sum of g+ - g- over blocks

No accuracy of the paper's was at hand.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import Logistic, Overlay
from ffzoo_polar_ffa.options import Polar

POLAR_FFA = Recipe(
    terms=(Term(Polar(), Logistic(threshold=0.0, scale=8.0)),),
    label_embedding=Overlay(value=5.0),
    negatives="wrong_label",
    forward_norm="rms",
    fusion="sum",
)
