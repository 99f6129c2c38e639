"""Integrated Forward-Forward (Tang 2023, "The Integrated Forward-Forward Algorithm: Integrating Forward-Forward and
Shallow Backpropagation With Local Losses", arXiv:2305.12960).

For block l with detached input u_(l-1), of two layers::

    h_l = relu(W2_l relu(W1_l u_(l-1) + b1_l) + b2_l)
    G_l = mean of h_l^2
    L_l = mean of softplus(theta - G_l(+)) and softplus(G_l(-) - theta)      theta = 1.5
    u_l = h_l / rms(h_l), stop-gradient
    blocks train one after the other, each by backprop inside itself
    prediction: the label with the highest sum of G_l over the blocks

Labels are written over the input, and a negative sample carries a wrong one, as in Forward-Forward. The rule brings
``backbone.layers=2``; with blocks of one layer it is Forward-Forward trained greedily.

Published: better than Forward-Forward on MNIST, and less sensitive to noise than backprop (abstract); the figures could
not be read.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import Logistic, Overlay

INTEGRATED_FF = Recipe(
    terms=(Term("mean_squares", Logistic(threshold=1.5, scale=1.0)),),
    label_embedding=Overlay(value=5.0),
    negatives="wrong_label",
    forward_norm="rms",
    schedule="greedy",
    fusion="sum",
)
