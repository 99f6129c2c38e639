"""The cards of ``dcl_s`` and ``dcl``."""

from __future__ import annotations

from dataclasses import replace

from ffzoo.registry.cards import Card

_SHARED = (
    "The temperature is 20, chosen among 1, 5 and 20 on the validation part of digits; theirs is 1.",
    "Flat features meet the table as one vector; the authors cut them into patches that share a narrower table.",
    "The prediction is the last block's scores; the authors also report that of a linear layer on its features.",
)
DCL_S = Card(
    title="Dictionary Contrastive Learning for Efficient Local Supervision without Auxiliary Networks",
    authors="Choi et al.",
    year=2024,
    url="https://openreview.net/forum?id=Gg7cXo3S8l",
    source="code",
    local="A block learns from its own scores against label embeddings that nobody learns.",
    departures=_SHARED,
    remarks=("0.07 is the temperature of a variant of the authors' code that compares by cosines.",),
)
DCL = replace(
    DCL_S,
    local="No gradient crosses an activation, but the losses of all blocks teach one table, from which every block "
    "learns: later blocks move earlier ones.",
    departures=(
        *_SHARED,
        "The table makes one step for the sum of all losses; theirs makes one for every block's, with its optimizer.",
    ),
)
