"""Forward-Forward (Hinton 2022, "The Forward-Forward Algorithm", arXiv:2212.13345).

Two forward passes; every block is trained to have high goodness on positive samples and low goodness
on negative ones::

    G_l = sum of h_l^2                                   goodness
    p(positive) = sigmoid(G_l - theta)                   theta the number of units
    L_l = softplus(theta - G_l(x+)) + softplus(G_l(x-) - theta)
    u_l = h_l / rms(h_l), stop-gradient                  only the direction goes on

Supervised: the label is written over the first K pixels, a negative sample carries a wrong one.
Inference either reads the goodness of every candidate label, without the first block
(``fusion=sum``), or makes one pass with a neutral label and a linear softmax on the normalised
features (``fusion=concat_linear``). Unsupervised: a negative sample is a hybrid of two images, and a
linear softmax reads the blocks.

Published on MNIST, MLP 4 x 2000: 1.36 % test error supervised, 1.37 % unsupervised (from memory of
the paper).
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import ConcatLinear, Logistic, Sum

VANILLA_FF = Recipe(
    terms=(Term("mean_squares", Logistic(threshold=1.0, scale="dim")),),
    label_embedding="overlay",
    negatives="wrong_label",
    forward_norm="rms",
    fusion=Sum(first=1),
)
VANILLA_FF_UNSUP = VANILLA_FF.replace(label_embedding="none", negatives="hybrid_images", fusion=ConcatLinear(first=1))
