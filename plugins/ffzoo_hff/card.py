"""The card of ``hff``."""

from __future__ import annotations

from ffzoo.registry.cards import Card, Published

HFF = Card(
    title="Hyperspherical Forward-Forward with Prototypical Representations",
    authors="Sarode et al.",
    year=2026,
    url="https://arxiv.org/abs/2605.00082",
    source="third party",
    local="A block and its prototypes learn from the cross-entropy of their own cosines.",
    reconstruction=True,
    published=(
        Published("cifar10", 83.08, "CNN", "third party", "61.93 with an MLP"),
        Published("cifar100", 54.34, "CNN", "third party"),
    ),
    departures=(
        "The paper's smooth margin is not here: plain cross-entropy of the cosines over a temperature of 0.1.",
        "Three prototypes a class; the paper's number was not read.",
        "Blocks hand on features of mean square 1, which is the unit sphere times the root of their number.",
    ),
)
