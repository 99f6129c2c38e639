"""Self-contrastive Forward-Forward (Chen, Liu, Laydevant and Grollier 2024, arXiv:2409.11593).

No labels. A sample beside itself is positive, beside another sample x' of the batch negative; for block l, with
detached inputs and at each position p of its map::

    x+ = x + x,  x- = x + x'                    two inputs through the same weights: W x + W x' = W (x + x')
    G_p = mean over channels of h_p^2           goodness
    L = mean over p of softplus(a (theta+ - G+_p)) + softplus(b (G-_p - theta-)),  plus lambda ||G+||_2
    u = LayerNorm(h) over channels and positions, stop-gradient
    schedule: one block after the other
    prediction: a linear softmax on the features of x + x, fitted when the blocks are done

Published: MNIST 98.7 %, CIFAR-10 80.75 %, STL-10 77.3 % (abstract).

The control to read beside every figure of this rule is ``random_features``: the same probe on blocks that learned
nothing.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo_scff.options import TwoThresholds

SCFF = Recipe(
    terms=(Term("energy_map", TwoThresholds()),),
    negatives="self_concatenation",
    forward_norm="layernorm",
    schedule="greedy",
    fusion="probe",
)
