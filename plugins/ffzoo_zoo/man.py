"""Momentum auxiliary networks: a block learns through a slow copy of the next one's weights.

For block l with detached input x_l, and theta the weights of the first layer of block l + 1::

    h_l   = block_l(x_l)
    a_l   = layer(u_l; gamma_l) + layer(u_l; beta_l)       u_l is what block l + 1 reads; layer ends with a ReLU
    z_l   = W_l^T pool(a_l) + b_l                          for the last block W^T pool(h_L) + b
    L_l   = CrossEntropy(z_l, y)                           trains block l, beta_l, W_l and b_l
    gamma_l <- m gamma_l + (1 - m) theta                   once a step, m = 0.995, theta as it was before the step
    prediction: z_L, the linear classifier of the last block

No gradient crosses a block, but weights do: what block l + 1 has learned changes what block l learns next. So the rule
is local for the structural check, is seen by the black box, and declares a coupling.
"""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Interval

from ffzoo.plugin import Card, Published, Recipe, Term, algorithm, goodness, options


@options
class MomentumLayer:
    """A classifier behind a copy of the next block's first layer.

    Attributes:
        momentum: share of the copy that stays from step to step; the rest comes from the next block's weights.
        grid: windows per side to which maps are averaged for the classifier, clipped to the map.
        norm: name of the normalization in front of the copy; ``"auto"`` is ``layernorm`` where blocks are native and
            ``none`` in a model that brings norms of its own, as between the blocks. A recipe with another forward_norm
            needs it here too.
    """

    momentum: Annotated[float, Interval(ge=0, lt=1)] = 0.995
    grid: Annotated[int, Ge(1)] = 4
    norm: str = "auto"


goodness(
    "momentum_layer",
    ".man_parts:MomentumLayer",
    config=MomentumLayer,
    summary="a classifier on a moving average of the next block's first layer, and on a learned one beside it",
)

MAN = algorithm(
    "man",
    Recipe(terms=(Term(MomentumLayer(), "cross_entropy"),), forward_norm="auto", fusion="last"),
    summary="auxiliary networks that follow the weights of the next block",
    card=Card(
        title="Momentum Auxiliary Network for Supervised Local Learning",
        authors="Su et al.",
        year=2024,
        url="https://arxiv.org/abs/2407.05623",
        source="code",
        local="No gradient crosses a block, but a block learns through a slow copy of the next block's first layer.",
        published=(
            Published(
                "cifar10",
                90.89,
                "ResNet-32 in 16 blocks",
                "memory",
                "on top of DGL, alone 85.92; their backprop: 93.63",
            ),
        ),
        departures=(
            "Of the next block the first convolution or linear layer is followed, with a ReLU behind it; the authors' "
            "code follows a whole residual block, normalization and shortcut included.",
            "A linear classifier on 4x4 windows stands behind it; theirs is the auxiliary network of DGL or InfoPro, "
            "with InfoPro's reconstruction loss.",
            "The copy starts from the next block's weights; theirs starts from random ones.",
            "Blocks are normalized for the next one by the library's forward norm; theirs have batch norm.",
        ),
        remarks=("The copy moves once per forward pass, so micro-batches are refused.",),
    ),
)
