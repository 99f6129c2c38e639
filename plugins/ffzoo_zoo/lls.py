"""LLS: features synchronize with fixed square waves, one frequency per class.

For block l with detached input x_l::

    a_l = pool(h_l) / ||pool(h_l)||                     average on a grid of windows
    W_jk = sign(sin(f_k j))                             f_k evenly from 50 to 512: a square wave a class, fixed
    z_l = W^T a_l / T                                   LLS
    z_k = m_k (W^T a_l)_k / T                           LLS-M, m learned
    z_l = M^T W^T a_l / T                               LLS-MxM, M learned
    z_l = R^T pool(h_l) / T                             LLS-Random, R frozen, nothing divided by a norm
    L_l = CrossEntropy(z_l, y)
    prediction: the last block's scores

m and M start from N(0, 0.01^2) and T is 0.5 for LLS, as in the authors' code.
"""

from __future__ import annotations

from dataclasses import replace

from ffzoo.plugin import Card, Projection, Recipe, Term, algorithm

_DEPARTURES = (
    "Blocks are the backbone's: the authors' have batch norm and leaky ReLU.",
    "Maps are pooled to 4 x 4 windows in every block; theirs to 4 x 4 in the first and to 2 x 2 in the others.",
    "The prediction is the last block's scores; theirs is a linear layer on its features, trained beside the blocks.",
)
_CARD = Card(
    title="LLS: Local Learning Rule for Deep Neural Networks Inspired by Neural Activity Synchronization",
    authors="Apolinario, Roy and Roy",
    year=2024,
    url="https://arxiv.org/abs/2405.15868",
    source="code",
    local="A block learns from the cross-entropy of its own features against waves that nobody learns.",
    departures=_DEPARTURES,
    remarks=(
        "The frequencies go from 50 to 512 radians per feature for every number of classes, as the authors' code sets "
        "them; goodness.wave=sine is their other form.",
    ),
)
_LEARNED_MIX = replace(
    _CARD, departures=(*_DEPARTURES, "The temperature of 0.1 is ours, theirs is 0.5: the initial factors are small.")
)

LLS = algorithm(
    "lls",
    Recipe(
        terms=(Term(Projection(power=1, grid=4, l2="pooled", projection="waves", temperature=0.5), "cross_entropy"),),
        forward_norm="auto",
        fusion="last",
    ),
    summary="pooled features against fixed square waves, one frequency per class",
    card=_CARD,
)
LLS_M = algorithm(
    "lls_m",
    LLS.set({"goodness.mix": "scale", "goodness.temperature": 0.1}),
    summary="LLS with a learned factor per class",
    card=replace(_LEARNED_MIX, local="A block and one factor per class learn from their own cross-entropy."),
)
LLS_MXM = algorithm(
    "lls_mxm",
    LLS.set({"goodness.mix": "matrix", "goodness.temperature": 0.1}),
    summary="LLS with a learned matrix of classes by classes",
    card=replace(_LEARNED_MIX, local="A block and a matrix of classes by classes learn from their own cross-entropy."),
)
LLS_RANDOM = algorithm(
    "lls_random",
    LLS.set({"goodness.projection": "random", "goodness.l2": "none", "goodness.temperature": 1.0}),
    summary="pooled features against a frozen random matrix",
    card=replace(
        _CARD,
        local="A block learns from the cross-entropy of its own features through a random matrix that stays as it is.",
        departures=(
            *_DEPARTURES,
            "The matrix is N(0, 1/d) at a temperature of 1, chosen on the validation part of digits; theirs is "
            "N(0, 0.1^2), averaged down from 2,048 features, at 0.5.",
        ),
        remarks=(),
    ),
)
