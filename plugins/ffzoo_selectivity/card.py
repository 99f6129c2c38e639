"""The card of selectivity and shape."""

from __future__ import annotations

from ffzoo.registry.cards import Card, Published

SELECTIVITY = Card(
    title="Selectivity and Shape in the Design of Forward-Forward Goodness Functions",
    authors="Akkus et al.",
    year=2026,
    url="https://arxiv.org/abs/2604.13081",
    source="abstract",
    reconstruction=True,
    local="A block learns from its own goodness, and its own projection of the label with it.",
    published=(
        Published("mnist", 98.2, "MLP 4 x 2000", "abstract", "+- 0.1"),
        Published("fashion_mnist", 89.0, "not named in the abstract", "abstract"),
    ),
    departures=(
        "Only the abstract was at hand: it names the goodness functions and that every layer gets the label, no "
        "formula. Which function its figures are of could not be read; kurtosis was best here on validation.",
        "Entmax weights are taken of h^2 and are differentiated through; the paper's alpha is about 1.5, here 1.5.",
        "The share of units of top_k (2 %), the loss and its threshold are chosen here.",
        "The higher moments and the ten other functions the paper compares are not here.",
        "Of maps all channels and positions count alike.",
    ),
    remarks=("entmax_energy sorts all features of a sample, which takes long for large maps.",),
)
