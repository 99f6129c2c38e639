"""The cards of ``dcl_s`` and ``dcl``."""

from __future__ import annotations

from dataclasses import replace

from ffzoo.card import Card

DCL_S = Card(
    title="Dictionary Contrastive Learning for Efficient Local Supervision without Auxiliary Networks",
    authors="Choi et al.",
    year=2024,
    url="https://openreview.net/forum?id=Gg7cXo3S8l",
    source="code",
    local="A block learns from its own scores against label embeddings that nobody learns.",
    departures=(
        "The temperature is 20 on features that are not normalized, chosen among 1, 5 and 20 on the validation part of "
        "digits; 0.07 was read for the authors' code.",
        "The table is as wide as the widest block.",
    ),
)
DCL = replace(
    DCL_S,
    local="No gradient crosses an activation, but the losses of all blocks teach one table, from which every block "
    "learns: later blocks move earlier ones.",
)
