"""The card of Polar-FFA."""

from __future__ import annotations

from ffzoo.registry.cards import Card

POLAR_FFA = Card(
    title="On the Improvement of Generalization and Stability of Forward-Only Learning via Neural Polarization",
    authors="Terres-Escudero, Del Ser and Garcia-Bringas",
    year=2024,
    url="https://arxiv.org/abs/2408.09210",
    source="abstract",
    reconstruction=True,
    local="A block learns from its own goodness alone; what the next block reads is detached.",
    departures=(
        "Only the abstract and a short description were at hand; the paper compares several activations and goodness "
        "functions, here are ReLU and the mean of squares.",
        "Which units are positive is fixed: the first half, rounded down.",
        "The scale of the logistic loss, the label's height of 5 and the norm are those of vanilla_ff in this library.",
    ),
    remarks=(
        "Below the floor of random features on digits, and a probe of its features stays below it too: telling right "
        "labels from wrong ones leaves less of the image than random weights do.",
    ),
)
