"""Distance-Forward: the goodness of a class is nearness to its centroid, learned by overlapping pairs of blocks.

For block l with its input x_l::

    h_l  = block_l(x_l)
    g_lk = -||pool(h_l) - c_lk||^2                          goodness of class k: nearness to its centroid c_lk
    L_l  = log(1 + sum over k != y of exp(m + g_lk - g_ly)) N-pair margin loss
    DF-O: blocks learn in overlapping pairs. In one step the gradient stops behind blocks 2, 4, ..., in the next behind
    blocks 1, 3, ...; each pair learns from the loss of its second block. A first block that is left over learns from
    its own, a last one waits for the next step.
    u_l  = LayerNorm(h_l)                                   what block l + 1 reads
    prediction: the nearest centroid; the distances of all blocks are added

The abstract names centroid-based metric learning, a "goodness-based N-pair margin loss" and layer-collaboration local
updates; a summary page names DF-O, whose blocks overlap, and DF-R. Ours are squared distances and the margin inside the
exponent.
"""

from typing import Annotated, Literal

from annotated_types import Ge

from ffzoo.plugin import Card, NPairMargin, Published, Recipe, Sum, Term, algorithm, goodness, options


@options
class Centroids:
    """One centroid per class in the space of pooled features.

    Attributes:
        grid: windows per side to which maps are averaged, clipped to the map; ``"all"`` keeps every position.
    """

    grid: Annotated[int, Ge(1)] | Literal["all"] = 4


goodness(
    "centroids",
    ".distance_forward_parts:Centroids",
    config=Centroids,
    summary="minus the squared distance to a learned centroid of each class",
)

_NET = "not named in the abstract"

DISTANCE_FORWARD = algorithm(
    "distance_forward",
    Recipe(
        terms=(Term(Centroids(), NPairMargin(margin=1.0)),),
        forward_norm="auto",
        isolation="overlap",
        fusion=Sum(of="score"),
    ),
    summary="distances to class centroids with a margin, learned by overlapping pairs of blocks (DF-O)",
    card=Card(
        title="Distance-Forward Learning: Enhancing the Forward-Forward Algorithm Towards High-Performance On-Chip "
        "Learning",
        authors="Wu et al.",
        year=2024,
        url="https://arxiv.org/abs/2408.14925",
        source="abstract",
        reconstruction=True,
        local="A block's loss reaches it and the block before, never further; which two go together alternates.",
        published=(
            Published("mnist", 99.7, _NET, "abstract"),
            Published("cifar10", 88.2, _NET, "abstract"),
            Published("cifar100", 59.0, _NET, "abstract"),
            Published("svhn", 95.9, _NET, "abstract"),
            Published("imagenette", 82.5, _NET, "abstract"),
            Published("fashion_mnist", 93.89, "not named there", "third party", "a leaderboard"),
        ),
        departures=(
            "Only the abstract and a summary page could be read, which give no formula: distance, margin and loss are "
            "ours.",
            "The centroids are learned with their block; whether the paper's are means of the samples could not be "
            "read.",
            "How blocks overlap (DF-O) is that of the Trifecta; the paper's variant with random feedback (DF-R) is not "
            "here.",
            "Maps are averaged to 4x4 windows before a distance is taken.",
        ),
    ),
)
