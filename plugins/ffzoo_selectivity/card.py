"""The card of ``selectivity``."""

from __future__ import annotations

from ffzoo.card import Card, Published

_NET = "MLP 4 x 2000"
SELECTIVITY = Card(
    title="Selectivity and Shape in the Design of Forward-Forward Goodness Functions",
    authors="Akkus et al.",
    year=2026,
    url="https://arxiv.org/abs/2604.13081",
    source="abstract",
    reconstruction=True,
    local="A block learns from its own goodness, and its own projection of the label with it.",
    published=(
        Published("mnist", 98.2, _NET, "abstract", "the best of 13 goodness functions"),
        Published("fashion_mnist", 89.0, _NET, "abstract", "the best of 13 goodness functions"),
    ),
    departures=(
        "Only the abstract was read: threshold and slope of the loss, and the forward norm, are ours.",
        "The label is added to a block's input by a learned projection, as in ffdl; the paper forwards it separately.",
    ),
)
