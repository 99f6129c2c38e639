"""Integrated Forward-Forward (Tang 2023, "The Integrated Forward-Forward Algorithm: Integrating Forward-Forward and
Shallow Backpropagation With Local Losses", arXiv:2305.12960).

Backprop runs inside a block of several layers, Forward-Forward between blocks. For block l with detached input x_l::

    h_l = ReLU(W_l2 ReLU(W_l1 x_l))                     two layers a block: backbone.layers=2
    G_l = mean of h_l^2
    L_l = mean of softplus(theta - G_l(x+)) and softplus(G_l(x-) - theta)      theta = 1.5
    u_l = h_l / ||h_l||, stop-gradient
    blocks train one after the other
    prediction: the label with the largest sum of G_l

No accuracy of the paper's was at hand.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import Logistic, Overlay

INTEGRATED_FF = Recipe(
    terms=(Term("mean_squares", Logistic(threshold=1.5, scale=1.0)),),
    label_embedding=Overlay(value=5.0),
    negatives="wrong_label",
    forward_norm="l2",
    schedule="greedy",
    fusion="sum",
)
