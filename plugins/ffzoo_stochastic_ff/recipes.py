"""Stochastic Forward-Forward (Zhu et al. 2025, NeurIPS, arXiv:2505.16649).

No negatives: a sample x and a copy x' with noise. For block l with detached inputs, features h and h' ``(C, P)`` at P
positions::

    ED(X) = tr(C)^2 / (sum of C_ij^2 + 1e-6),  C = X X^T / (M - 1)         X (C, M): effective dimensionality
    x'    = x with a fifth of its inputs dropped
    L_l   = 1/2 mean over the batch of ED([h, h'])  -  1/2 ED(all (h + h') / 2 of the batch)
    u_l   = BatchNorm(h_l) without scale and shift, stop-gradient
    prediction: a linear softmax on the features, fitted when the blocks are done

The copies of one sample shall differ in few directions, the samples in many.

The control to read beside every figure of this rule is ``random_features``: the same probe on blocks that learned
nothing.
"""

from __future__ import annotations

from ffzoo import Recipe, Term
from ffzoo_stochastic_ff.options import Dimensionality, NoisyCopy

STOCHASTIC_FF = Recipe(
    terms=(Term("responses", Dimensionality()),),
    negatives=NoisyCopy(),
    forward_norm="batchnorm",
    fusion="probe",
)
