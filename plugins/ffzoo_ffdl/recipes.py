"""Forward-forward direct labeling (Karkehabadi, Homayoun and Sasan 2024, "FFCL: Forward-Forward Net with Cortical
Loops, Training and Inference on Edge Without Backpropagation", arXiv:2405.12443).

For block l, with a positive and a negative view of every sample, which carry its label y and a wrong one::

    x_l = u_(l-1) + P_l onehot(y)                        u_0 = x; P_l learned with block l
    h_l = block_l(x_l)
    G_l = mean of h_l^2
    L_l = mean of softplus(s (theta - G_l(+))) and softplus(s (G_l(-) - theta))
    u_l = h_l / rms(h_l), stop-gradient                  features go on, and the label comes anew
    prediction: the label with the highest sum of G_l over the blocks

In Forward-Forward the label enters once, and a later block sees what earlier ones left of it. Here labels and
features go forward separately: every block is shown both.

Published: higher accuracies a layer than Forward-Forward on MNIST, Fashion-MNIST and CIFAR-10; the figures could not
be read. The paper's second rule, FFCL, adds feedback loops and is not here.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo.parts.options import Logistic
from ffzoo_ffdl.options import LabelProjections

FFDL = Recipe(
    terms=(Term("mean_squares", Logistic(threshold=2.0, scale=8.0)),),
    label_embedding=LabelProjections(),
    negatives="wrong_label",
    forward_norm="rms",
    fusion="sum",
)
