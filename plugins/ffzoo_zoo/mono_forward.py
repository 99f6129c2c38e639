"""Mono-Forward: a learned matrix reads the classes off all of a block's activities.

For block l with detached input x_l::

    a_l = ReLU(W_l x_l), all of it, flattened
    G_l = a_l M_l^T                                     M_l learned, K x D
    L_l = CrossEntropy(G_l, y)
    u_l = a_l, stop-gradient                            no normalization
    prediction: the class with the largest sum of G_l over blocks
"""

from __future__ import annotations

from ffzoo.plugin import Card, Projection, Published, Recipe, Sum, Term, algorithm

MONO_FORWARD = algorithm(
    "mono_forward",
    Recipe(
        terms=(Term(Projection(power=1, grid="all", projection="learned", temperature=1.0), "cross_entropy"),),
        forward_norm="none",
        fusion=Sum(of="score"),
    ),
    summary="a learned matrix reads the classes off all activities of a block",
    card=Card(
        title="Mono-Forward: Backpropagation-Free Algorithm for Efficient Neural Network Training Harnessing Local "
        "Errors",
        authors="Gong et al.",
        year=2025,
        url="https://arxiv.org/abs/2501.09238",
        source="abstract",
        reconstruction=True,
        local="A block and its matrix learn from the cross-entropy of their own scores.",
        published=(
            Published("fashion_mnist", 93.98, "CNN", "third party"),
            Published("cifar10", 58.3, "MLP", "third party", "about"),
            Published("cifar100", 63.28, "CNN", "third party", "31.5 with an MLP"),
        ),
        departures=("The initial M is N(0, 1/D): the paper's was not read.",),
    ),
)
