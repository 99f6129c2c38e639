"""The card of ``polar_ffa``."""

from __future__ import annotations

from ffzoo.card import Card

POLAR_FFA = Card(
    title="On the Improvement of Generalization and Stability of Forward-Only Learning via Neural Polarization",
    authors="Terres-Escudero, Del Ser and Garcia-Bringas",
    year=2024,
    url="https://arxiv.org/abs/2408.09210",
    source="abstract",
    reconstruction=True,
    local="A block learns from the energies of its own two groups of units.",
    departures=(
        "Only the abstract was read: the mean of squares as each group's energy and the slope of 8 are ours.",
        "Label, negatives and norm are those of vanilla_ff in this library.",
    ),
)
