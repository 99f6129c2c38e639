"""Hyperspherical Forward-Forward (HFF; Sarode et al. 2026, arXiv:2605.00082): learned prototypes on the unit sphere.

For block l with detached input x_l::

    a_l = GAP(h_l) / ||GAP(h_l)||
    p_km = P_km / ||P_km||                              learned, M prototypes a class
    z_k = log sum_m exp(a_l . p_km / T)
    L_l = CrossEntropy(z, y)
    u_l = h_l / ||h_l||, stop-gradient
    prediction: the sum of log softmax(z_l) over blocks

Published: 83.08 % on CIFAR-10 (61.93 % with an MLP), 54.34 % on CIFAR-100.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import Projection, Sum

HFF = Recipe(
    terms=(
        Term(
            Projection(power=1, grid=1, l2="pooled", projection="learned", unit=True, prototypes=3, temperature=0.1),
            "cross_entropy",
        ),
    ),
    forward_norm="rms",
    fusion=Sum(),
)
