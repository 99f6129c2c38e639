"""Selectivity and shape (Akkus et al. 2026, "Selectivity and Shape in the Design of Forward-Forward Goodness
Functions", arXiv:2604.13081).

The goodness looks at the shape of a block's activity, not at its energy. For block l, which also reads the label::

    h_l = ReLU(W_l (u_(l-1) + V_l e_y) + b_l)           V_l learned, as in ffdl
    G_l = mean of ((h_l - mean h_l) / sd h_l)^4, less 3
    L_l = mean of softplus(s (theta - G_l(x+))) and softplus(s (G_l(x-) - theta))     s = 8, theta = 2
    u_l = h_l / rms(h_l), stop-gradient
    prediction: the label with the largest sum of G_l

``goodness=top_k`` and ``goodness=entmax_energy`` are the paper's selective ones. Published, in the abstract: 98.2 % on
MNIST and 89.0 % on Fashion-MNIST (MLP 4 x 2000).
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import Logistic
from ffzoo_ffdl.options import LabelProjections

SELECTIVITY = Recipe(
    terms=(Term("kurtosis", Logistic(threshold=2.0, scale=8.0)),),
    label_embedding=LabelProjections(),
    negatives="wrong_label",
    forward_norm="rms",
    fusion="sum",
)
