"""Local error signals: a block learns from a linear classifier on its pooled features, and from similarity matching.

For block l with detached input x_l::

    h_l = block_l(x_l)
    a_l = pool(h_l)                           average over windows, as many as leave at most 2,048 numbers
    z_l = W_l^T a_l + b_l                     learned, starts at random
    L_l = CrossEntropy(z_l, y)                the paper's L_pred: nokland_pred
    L_l = 0.01 L_pred + 0.99 L_sim            similarity matching, see nokland_parts.py: nokland_predsim
    prediction: the sum of log softmax(z_l) over the range of blocks that is best on the validation part

On whole maps the convolution of L_sim would cost as much as the block, so it reads windows.
"""

import dataclasses
from typing import Annotated

from annotated_types import Ge

from ffzoo.plugin import Card, Projection, Published, Recipe, Term, algorithm, goodness, local_loss, options


@options
class Similarity:
    """What the similarity of two samples is measured on.

    Attributes:
        grid: windows per side to which maps are averaged first; 0 for the map itself, as published.
    """

    grid: Annotated[int, Ge(0)] = 8


goodness(
    "similarity_conv",
    ".nokland_parts:SimilarityConv",
    config=Similarity,
    summary="deviation over the map of a learned convolution of pooled features",
)
local_loss(
    "similarity_matching",
    ".nokland_parts:SimilarityMatching",
    summary="mean squared difference of the samples' similarities and their labels'",
)

_DEPARTURES = (
    "The prediction is a fusion of the blocks; theirs is the last layer's output.",
    "Their blocks have batch norm, leaky ReLU and dropout, which here are the backbone's business.",
    "Blocks are normalized for the next one by the library's forward norm.",
)
_CARD = Card(
    title="Training Neural Networks with Local Error Signals",
    authors="Nøkland and Eidnes",
    year=2019,
    url="https://arxiv.org/abs/1901.06656",
    source="code",
    local="A block learns from a linear classifier of its own.",
    published=(
        Published("cifar10", 91.60, "VGG8B", "repository", "the authors' backprop: 94.01"),
        Published("cifar100", 70.68, "VGG8B", "repository", "the authors' backprop: 73.76"),
    ),
    departures=_DEPARTURES,
)
_CLASSIFIER = Term(
    Projection(power=1, grid="all", max_features=2048, projection="learned", bias="learned", temperature=1.0),
    "cross_entropy",
)

NOKLAND_PRED = algorithm(
    "nokland_pred",
    Recipe(terms=(_CLASSIFIER,), forward_norm="auto", fusion="best_range"),
    summary="a learned linear classifier on each block's pooled features",
    card=_CARD,
)
NOKLAND_PREDSIM = algorithm(
    "nokland_predsim",
    NOKLAND_PRED.replace(
        terms=(
            dataclasses.replace(_CLASSIFIER, weight=0.01),
            Term(Similarity(), "similarity_matching", weight=0.99),
        )
    ),
    summary="a linear classifier, and similarities of samples matched with their labels'",
    card=dataclasses.replace(
        _CARD,
        local="A block learns from a linear classifier and a convolution of its own; both are local to it.",
        published=(
            Published("cifar10", 96.40, "VGG11B at three times the width", "repository", "with cutout"),
            Published("cifar100", 79.87, "VGG11B at three times the width", "repository"),
        ),
        departures=(
            "Maps are averaged to 8 x 8 windows before the convolution of the similarity loss; "
            "terms.1.goodness.grid=0 is the published form.",
            *_DEPARTURES,
        ),
        remarks=(
            "The similarity loss couples the samples of a batch, so micro-batches are refused.",
            "The published figures are the paper's best.",
        ),
    ),
)
