"""Dictionary contrastive learning: features against one table of label embeddings for all blocks.

One table D of label embeddings serves all blocks; each averages it to its own width. For block l::

    a_l = GAP(h_l)
    t_k = pool(D_k)                                     to the width of block l
    z_k = a_l . t_k / T
    L_l = CrossEntropy(z, y)
    prediction: the last block's scores

``dcl_s`` keeps the table as it was drawn; ``dcl`` learns it from the losses of all blocks. Presented at ICLR 2024.
"""

from dataclasses import replace
from typing import Annotated

from annotated_types import Gt

from ffzoo.plugin import Card, Projection, Recipe, Term, algorithm, goodness, options


@options
class LabelDictionary:
    """Label embeddings that all blocks share.

    Attributes:
        temperature: T, a constant.
    """

    temperature: Annotated[float, Gt(0)] = 20.0


goodness(
    "label_dictionary",
    ".dcl_parts:LabelDictionary",
    config=LabelDictionary,
    summary="pooled features against learned label embeddings that all blocks share",
)

_CARD = Card(
    title="Dictionary Contrastive Learning for Efficient Local Supervision without Auxiliary Networks",
    authors="Choi et al.",
    year=2024,
    url="https://openreview.net/forum?id=Gg7cXo3S8l",
    source="code",
    local="A block learns from its own scores against label embeddings that nobody learns.",
    departures=(
        "The temperature is 20, chosen among 1, 5 and 20 on the validation part of digits; theirs is 1.",
        "Flat features meet the table as one vector; the authors cut them into patches that share a narrower table.",
        "The prediction is the last block's scores; the authors also report that of a linear layer on its features.",
    ),
    remarks=("0.07 is the temperature of a variant of the authors' code that compares by cosines.",),
)

DCL_S = algorithm(
    "dcl_s",
    Recipe(
        terms=(Term(Projection(power=1, grid=1, projection="embeddings", temperature=20.0), "cross_entropy"),),
        forward_norm="auto",
        fusion="last",
    ),
    summary="pooled features against static label embeddings, one table for all blocks",
    card=_CARD,
)
DCL = algorithm(
    "dcl",
    DCL_S.replace(terms=(Term(LabelDictionary(), "cross_entropy"),)),
    summary="the same with label embeddings that the losses of all blocks teach",
    card=replace(
        _CARD,
        local="No gradient crosses an activation, but the losses of all blocks teach one table, from which every block "
        "learns: later blocks move earlier ones.",
        departures=(
            *_CARD.departures,
            "The table makes one step for the sum of all losses; theirs makes one for every block's, with its "
            "optimizer.",
        ),
    ),
)
