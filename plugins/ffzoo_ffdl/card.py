"""The card of forward-forward direct labeling."""

from __future__ import annotations

from ffzoo.registry.cards import Card

FFDL = Card(
    title="FFCL: Forward-Forward Net with Cortical Loops, Training and Inference on Edge Without Backpropagation",
    authors="Karkehabadi, Homayoun and Sasan",
    year=2024,
    url="https://arxiv.org/abs/2405.12443",
    source="abstract",
    reconstruction=True,
    local="A block learns from its own goodness, and its own projection of the label with it.",
    departures=(
        "Only the abstract and a summary were at hand: labels are given to every layer apart from the features; that "
        "it is a learned sum before the block's weights is inferred.",
        "On feature maps the label adds the same vector at every position.",
        "Goodness, loss and norm are those of vanilla_ff in this library.",
        "The paper's cheaper inference and its feedback loops (FFCL) are not here: labels are swept in full passes.",
    ),
    remarks=(
        "Below the floor of random features on digits, and a probe of its features stays below it too: telling right "
        "labels from wrong ones leaves less of the image than random weights do.",
    ),
)
