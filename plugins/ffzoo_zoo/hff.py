"""Hyperspherical Forward-Forward (HFF): a class scores by cosines to several learned prototypes.

For block l with detached input x_l::

    a_l = GAP(h_l) / ||GAP(h_l)||
    p_km = P_km / ||P_km||                              learned, M prototypes a class
    z_k = log sum_m exp(a_l . p_km / T)
    L_l = CrossEntropy(z, y)
    u_l = h_l / ||h_l||, stop-gradient
    prediction: the sum of log softmax(z_l) over blocks
"""

from __future__ import annotations

from ffzoo.plugin import Card, Projection, Published, Recipe, Sum, Term, algorithm

HFF = algorithm(
    "hff",
    Recipe(
        terms=(
            Term(
                Projection(
                    power=1, grid=1, l2="pooled", projection="learned", unit=True, prototypes=3, temperature=0.1
                ),
                "cross_entropy",
            ),
        ),
        forward_norm="rms",
        fusion=Sum(),
    ),
    summary="cosine of a block's features to several learned prototypes per class",
    card=Card(
        title="Hyperspherical Forward-Forward with Prototypical Representations",
        authors="Sarode et al.",
        year=2026,
        url="https://arxiv.org/abs/2605.00082",
        source="third party",
        reconstruction=True,
        local="A block and its prototypes learn from the cross-entropy of their own cosines.",
        published=(
            Published("cifar10", 83.08, "CNN", "third party", "61.93 with an MLP"),
            Published("cifar100", 54.34, "CNN", "third party"),
        ),
        departures=(
            "The paper's smooth margin is not here: plain cross-entropy of the cosines over a temperature of 0.1.",
            "Three prototypes a class; the paper's number was not read.",
            "Blocks hand on features of mean square 1, which is the unit sphere times the root of their number.",
        ),
    ),
)
