"""Covariance-aware goodness: second-order statistics of a block's features, over channels and over positions.

For block l with detached input x_l::

    h_l = block_l(x_l)
    a_l = [energies of h_l, energies of mixtures of its channels, energies of its means over nested windows]
    z_l = W_l^T a_l + b_l
    L_l = CrossEntropy(z_l, y)
    u_l = LayerNorm(h_l), stop-gradient                 what block l + 1 reads
    prediction: sum over blocks of w_l log softmax(z_l), w_l >= 0 and of sum 1, learned: "logistic fusion"

The abstract names cross-channel projections, nested multi-scale aggregation, a logistic fusion that amplifies deeper
blocks, and a feature alignment layer, a correction at block boundaries that starts from zero.
"""

from typing import Annotated

from annotated_types import Ge

from ffzoo.plugin import Card, Published, Recipe, Term, algorithm, goodness, options


@options
class BiCovG:
    """Second-order statistics of a block's features, times a learned class matrix.

    Attributes:
        mixtures: number of learned mixtures of channels.
        scales: number of grids of 1, 2, 4, ... windows per side, each clipped to the map.
    """

    mixtures: Annotated[int, Ge(1)] = 64
    scales: Annotated[int, Ge(1)] = 3


goodness(
    "bicovg",
    ".bicovg_parts:BiCovG",
    config=BiCovG,
    summary="energies, energies of channel mixtures and of nested window means, times a class matrix",
)

BICOVG = algorithm(
    "bicovg",
    Recipe(terms=(Term(BiCovG(), "cross_entropy"),), forward_norm="auto", fusion="weights"),
    summary="covariance-aware goodness over channels and positions; learned weights of the blocks",
    card=Card(
        title="Covariance-Aware Goodness for Scalable Forward-Forward Learning",
        authors="Jiang, Al-Hashimi and Xu",
        year=2026,
        url="https://arxiv.org/abs/2605.04346",
        source="abstract",
        reconstruction=True,
        local="A block learns from its own statistics alone; the weights of the blocks are fitted afterwards.",
        published=(
            Published("imagenet100", 73.01, "VGG-16", "abstract"),
            Published("tiny_imagenet", 50.30, "VGG-16", "abstract"),
        ),
        departures=(
            "Only the abstract could be read, which gives no formula: how channels are mixed, the windows, what is "
            "made of them and the matrix behind them are ours.",
            "The logistic fusion is a convex combination of the blocks' log-probabilities, fitted on the validation "
            "part.",
            "The feature alignment layer between blocks and the blocks that share a gradient (hybrid goodness blocks) "
            "are not here.",
        ),
    ),
)
