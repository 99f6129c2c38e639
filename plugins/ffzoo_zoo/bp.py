"""Backprop on the same blocks as every local rule, so that a comparison differs by one choice.

One backward through all blocks, of ::

    L = CrossEntropy(W pool(h_L) + b, y)      bp
    L = L_1 + ... + L_depth of dtg_ff         bp_deepsup
"""

from typing import Literal

from ffzoo.plugin import Card, Projection, Recipe, Term, algorithm, goodness, options
from ffzoo_zoo.dtg_ff import DTG_FF


@options
class BP:
    """Options of ``bp``.

    Attributes:
        head: what the loss reads off the last block: a learned linear layer on its pooled features,
            the goodness of ``dtg_ff`` (``twin``), or the model's own classifier (``native``).
    """

    head: Literal["linear", "twin", "native"] = "linear"


goodness("native_head", ".bp_parts:NativeHead", summary="the model's own classifier")

_HEADS = {
    "linear": Projection(power=1, grid=1, projection="learned", bias="learned", temperature=1.0),
    "twin": DTG_FF.terms[0].goodness,
    "native": "native_head",
}


def bp(config: BP) -> Recipe:
    """Return the recipe of plain backprop with the chosen head."""
    return Recipe(
        terms=(Term(_HEADS[config.head], "cross_entropy", blocks="last"),),
        forward_norm=DTG_FF.forward_norm,
        isolation="none",
        fusion="last",
    )


algorithm(
    "bp",
    bp,
    config=BP,
    summary="backprop of one loss on the last block",
    card=Card(
        title="Learning Representations by Back-Propagating Errors",
        authors="Rumelhart, Hinton and Williams",
        year=1986,
        url="https://doi.org/10.1038/323533a0",
        source="memory",
        local="Nothing is local: one loss on the last block trains every block through all blocks behind it.",
        baseline=True,
        departures=(
            "It runs through the blocks and forward norms of the local rules, so that a comparison differs by the rule "
            "alone.",
        ),
    ),
)
BP_DEEPSUP = algorithm(
    "bp_deepsup",
    DTG_FF.replace(isolation="none"),
    summary="backprop of dtg_ff's own losses: the same modules without stop-gradients",
    card=Card(
        title="Deeply-Supervised Nets",
        authors="Lee et al.",
        year=2015,
        url="https://arxiv.org/abs/1409.5185",
        source="abstract",
        local="Nothing is local: every block has a loss, and each loss trains all blocks before it too.",
        baseline=True,
        departures=(
            "It is deep supervision as the twin of dtg_ff: the same modules, initial weights, fusion and optimizers, "
            "without stop-gradients.",
        ),
        remarks=("The abstract of DTG-FF puts its twin 2.40 points ahead of it on CIFAR-10 and 5.93 on CIFAR-100.",),
    ),
)
