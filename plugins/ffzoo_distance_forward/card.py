"""The card of Distance-Forward."""

from __future__ import annotations

from ffzoo.registry.cards import Card, Published

DISTANCE_FORWARD = Card(
    title="Distance-Forward Learning: Enhancing the Forward-Forward Algorithm Towards High-Performance On-Chip "
    "Learning",
    authors="Wu et al.",
    year=2024,
    url="https://arxiv.org/abs/2408.14925",
    source="abstract",
    reconstruction=True,
    local="A block's loss reaches it and the block before, never further; which two go together alternates.",
    published=(
        Published("mnist", 99.7, "not named in the abstract", "abstract"),
        Published("cifar10", 88.2, "not named in the abstract", "abstract"),
        Published("cifar100", 59.0, "not named in the abstract", "abstract"),
        Published("svhn", 95.9, "not named in the abstract", "abstract"),
        Published("imagenette", 82.5, "not named in the abstract", "abstract"),
        Published("fashion_mnist", 93.89, "not named there", "third party", "a leaderboard"),
    ),
    departures=(
        "Only the abstract and a summary page could be read, which give no formula: distance, margin and "
        "loss are ours.",
        "The centroids are learned with their block; whether the paper's are means of the samples could not be read.",
        "How blocks overlap (DF-O) is that of the Trifecta; the paper's variant with random feedback (DF-R) "
        "is not here.",
        "Maps are averaged to 4x4 windows before a distance is taken.",
    ),
)
